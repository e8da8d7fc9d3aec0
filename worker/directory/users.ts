import { and, eq, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { aliases, groups, servers, users } from "./schema.ts";

/** The directory's database. */
export type Directory = DrizzleD1Database;

type User = typeof users.$inferSelect;
export type Group = typeof groups.$inferSelect;
export type Server = typeof servers.$inferSelect;

/** All that a lookup needs to know of one user. */
export interface Entry {
  readonly user: User;
  readonly group: Group;
  /** The server that holds the mailbox; null if the user has not been placed. */
  readonly placed: Server | null;
  /** For a user who has not been placed: the group's servers that take users now. */
  readonly candidates: readonly Server[];
}

/** Finds a user by address or alias, in one statement. */
export async function findUser(directory: Directory, address: string): Promise<Entry | null> {
  const rows = await userQuery(directory, address);
  const [first] = rows;
  if (first === undefined) return null;
  const { user, group, placed } = first;
  const candidates = rows.flatMap(({ candidate }) => (candidate === null ? [] : [candidate]));
  return { user, group, placed, candidates };
}

/** The statement of `findUser`: a row for each candidate, or one if there is none. */
export function userQuery(directory: Directory, address: string) {
  const placed = alias(servers, "placed");
  const candidate = alias(servers, "candidate");
  // Nobody's alias may shadow a user's own address.
  const owner = sql`coalesce(
    (select ${users.address} from ${users} where ${users.address} = ${address}),
    (select ${aliases.user} from ${aliases} where ${aliases.address} = ${address}))`;
  // Null, and so equal to no group, for a placed user: no candidate is read in vain.
  const groupToChooseFrom = sql`case when ${users.server} is null then ${users.group} end`;
  return directory
    .select({ user: users, group: groups, placed, candidate })
    .from(users)
    .innerJoin(groups, eq(groups.name, users.group))
    .leftJoin(placed, eq(placed.name, users.server))
    .leftJoin(candidate, and(eq(candidate.group, groupToChooseFrom), eq(candidate.state, "up")))
    .where(eq(users.address, owner));
}

/**
 * Places a user on a server for good, unless they are placed already: of two first logins at the
 * same moment one decides for both.
 *
 * @returns the name of the server where the user now is; null if the user is gone
 */
export async function placeUser(
  directory: Directory,
  address: string,
  server: string,
): Promise<string | null> {
  const [placed] = await directory
    .update(users)
    .set({ server: sql`coalesce(${users.server}, ${server})` })
    .where(eq(users.address, address))
    .returning({ server: users.server });
  return placed?.server ?? null;
}
