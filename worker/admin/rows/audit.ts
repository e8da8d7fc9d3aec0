/** The record of every change: who, what, when, and never a secret. */
import { type SQL, sql } from "drizzle-orm";
import type { Directory } from "../../directory/database.ts";
import { audit } from "../../directory/schema/index.ts";

export interface Change {
  /** The name of the admin token. */
  readonly actor: string;
  /** Such as `user.create`. */
  readonly action: string;
  readonly subject: string;
  /** Nothing secret. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * The statement that records a change, for the batch that makes it.
 *
 * @param happened where the change may turn out to be none: `changes() > 0` after the statement that makes it
 */
export function auditStatement(directory: Directory, change: Change, happened: SQL = sql`true`) {
  const { actor, action, subject, details } = change;
  // A value for each column, in their order; the first is the row's own number.
  return directory.insert(audit).select(sql`
    select null, unixepoch(), ${actor}, ${action}, ${subject}, ${JSON.stringify(details)}
    where ${happened}`);
}

/** The statement before it in the batch has changed something. */
export const IF_CHANGED = sql`changes() > 0`;
