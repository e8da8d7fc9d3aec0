import { and, desc, eq, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { clientNetwork, type Ip, networksOf } from "../../shared/address.ts";
import { aliases, groups, knownNetworks, networks, servers, users } from "./schema/index.ts";

/** The directory's database. */
export type Directory = DrizzleD1Database;

type User = typeof users.$inferSelect;
export type Group = typeof groups.$inferSelect;
export type Server = typeof servers.$inferSelect;

/** All that a lookup needs to know of one user. */
export interface Entry {
  readonly user: User;
  readonly group: Group;
  /** The server that holds the mailbox, or that the user is pinned to; null for neither. */
  readonly placed: Server | null;
  /** For a user without such a server: those that take users now. */
  readonly candidates: readonly Server[];
  /** When they last logged in from the client's network; null if that is not known. */
  readonly lastSuccess: Date | null;
}

interface Found {
  /** Null where there is no such user. */
  readonly entry: Entry | null;
  /** Whether the client's network may be served at all. */
  readonly admitted: boolean;
}

/**
 * Finds a user by address or alias, in one statement.
 *
 * @param client its address; null if it has none
 */
export async function findUser(
  directory: Directory,
  address: string,
  client: Ip | null,
): Promise<Found> {
  const rows = await userQuery(directory, address, client);
  const [first] = rows;
  const admitted = first?.access !== "deny";
  if (first === undefined || first.user === null || first.group === null)
    return { entry: null, admitted };
  const { user, group, placed, lastSuccess } = first;
  const candidates = rows.flatMap(({ candidate }) => (candidate === null ? [] : [candidate]));
  return { entry: { user, group, placed, candidates, lastSuccess }, admitted };
}

/** The statement of `findUser`: a row for each candidate, or one if there is none, or no such user. */
export function userQuery(directory: Directory, address: string, client: Ip | null) {
  const placed = alias(servers, "placed");
  const candidate = alias(servers, "candidate");
  // Nobody's alias may shadow a user's own address.
  const owner = sql`coalesce(
    (select ${users.address} from ${users} where ${users.address} = ${address}),
    (select ${aliases.user} from ${aliases} where ${aliases.address} = ${address}))`;
  // Each network is asked for by the primary key: no scan of the rules, however many there are.
  const clientNetworks = client === null ? [] : networksOf(client);
  const asked = sql`(select value from json_each(${JSON.stringify(clientNetworks)}))`;
  const rule = directory
    .select({ network: networks.network, near: networks.group, access: networks.access })
    .from(networks)
    .where(sql`${networks.network} in ${asked}`)
    .orderBy(desc(networks.prefix))
    .limit(1)
    .as("rule");
  // Null, and so equal to no group, for a user with a server: no candidate is read in vain.
  const groupToChooseFrom = sql`case when ${users.server} is null then coalesce(
    case when ${groups.policy} = 'nearest' and ${groups.storage} = 'shared' then ${rule.near} end,
    ${users.group}) end`;
  const { lastSuccess } = knownNetworks;
  const here = client === null ? "" : clientNetwork(client);
  return directory
    .select({ user: users, group: groups, placed, candidate, lastSuccess, access: rule.access })
    .from(sql`(select 1)`)
    .leftJoin(rule, sql`true`)
    .leftJoin(users, eq(users.address, owner))
    .leftJoin(groups, eq(groups.name, users.group))
    .leftJoin(placed, eq(placed.name, users.server))
    .leftJoin(candidate, and(eq(candidate.group, groupToChooseFrom), eq(candidate.state, "up")))
    .leftJoin(
      knownNetworks,
      and(eq(knownNetworks.user, users.address), eq(knownNetworks.network, here)),
    );
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
