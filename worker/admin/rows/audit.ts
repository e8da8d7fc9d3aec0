/** Records every change, with its author and time. A record never holds a secret. */
import { type SQL, sql } from "drizzle-orm";
import type { Directory } from "../../directory/database.ts";
import { audit } from "../../directory/schema/index.ts";

export interface Change {
  /** The name of the admin token. */
  readonly actor: string;
  /** `user.create` */
  readonly action: string;
  readonly subject: string;
  /** Never secret. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * The statement that records a change, for the batch that makes it.
 *
 * @param condition true where the change is to be recorded; `IF_CHANGED` where it may turn out to be none
 */
export function auditStatement(directory: Directory, change: Change, condition: SQL = sql`true`) {
  const { actor, action, subject, details } = change;
  // The values follow the order of the columns; the first one is the row's own number.
  return directory.insert(audit).select(sql`
    select null, unixepoch(), ${actor}, ${action}, ${subject}, ${JSON.stringify(details)}
    where ${condition}`);
}

/** True where the statement before it in the batch has changed a row. */
export const IF_CHANGED = sql`changes() > 0`;
