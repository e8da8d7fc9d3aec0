import { and, desc, eq, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { clientNetwork, type Ip, networksOf } from "../../shared/address.ts";
import type { AppPassword } from "./app-passwords.ts";
import type { Directory } from "./database.ts";
import type { Reading } from "./session.ts";
import { type Candidate, candidatesIn, failingPorts } from "./server-health.ts";
import {
  type Group,
  type Server,
  aliases,
  appPasswords,
  certificates,
  domains,
  groups,
  knownNetworks,
  networks,
  secrets,
  servers,
  users,
} from "./schema/index.ts";

type User = typeof users.$inferSelect;

/** All that a lookup needs to know of one user. */
export interface Entry {
  readonly user: User;
  readonly group: Group;
  /** The server that holds the mailbox, or that the user is pinned to; null for neither. */
  readonly placed: Server | null;
  /** For a user without such a server: those that take users now, and those that a rule names for the client. */
  readonly candidates: readonly Candidate[];
  /** When they last logged in from the client's network; null if that is not known. */
  readonly lastSuccess: Date | null;
  /** The one that was presented; null if it is none of theirs. */
  readonly appPassword: AppPassword | null;
  /** Whether the certificate that was presented is bound to them. */
  readonly certified: boolean;
  /** Their password, and what their server takes, both sealed; null where none is kept. */
  readonly ownSecret: string | null;
  readonly upstreamSecret: string | null;
}

/** What else is looked for beside a name. */
export interface Presented {
  /** The password's `digestOf`. */
  readonly appPassword?: string;
  readonly certificate?: { readonly subject: string | null; readonly fingerprint: string | null };
  /** Of a recipient of mail, in the form of `normalDomain`. */
  readonly domain?: string;
}

export interface Found {
  /** Null where there is no such user. */
  readonly entry: Entry | null;
  /** Whether the client's network may be served at all. */
  readonly admitted: boolean;
  /** Null where no domain was presented, or it is none of ours. */
  readonly domain: Domain | null;
}

export interface Domain {
  /** Whose mail it takes. */
  readonly recipients: (typeof domains.$inferSelect)["recipients"];
  /** Where it goes if there is no such user. */
  readonly catchAll: Pick<Entry, "group" | "candidates">;
}

/**
 * Finds a user by address or alias, in one statement.
 *
 * @param client its address; null if it has none
 */
export async function findUser(
  reading: Reading,
  address: string,
  client: Ip | null,
  presented: Presented = {},
): Promise<Found> {
  const rows = await reading.rows(userQuery(reading.directory, address, client, presented));
  const [first] = rows;
  if (first === undefined) return { entry: null, admitted: true, domain: null };
  const { user, group, access, recipients, candidate: _, failing: __, certified, ...rest } = first;
  const candidates = candidatesIn(rows);
  const entry = group && user && { ...rest, user, group, candidates, certified: certified === 1 };
  const domain = group && recipients && { recipients, catchAll: { group, candidates } };
  return { entry, admitted: access !== "deny", domain };
}

/** The statement of `findUser`: a row for each candidate, or one if there is none, or no such user. */
function userQuery(
  directory: Directory,
  address: string,
  client: Ip | null,
  presented: Presented = {},
) {
  const placed = alias(servers, "placed");
  const candidate = alias(servers, "candidate");
  const ownSecret = alias(secrets, "own_secret");
  const upstreamSecret = alias(secrets, "upstream_secret");
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
  const own = sql`case when ${users.server} is null then ${groups.name} end`;
  const near = sql`case when ${users.server} is null and ${groups.policy} = 'nearest'
    and ${groups.storage} = 'shared' then ${rule.near} end`;
  // Nothing presented is null, and so equal to nothing.
  const { appPassword = null, certificate, domain = null } = presented;
  const { subject = null, fingerprint = null } = certificate ?? {};
  const { user, kind, value } = certificates;
  const certified = sql<number>`exists (select 1 from ${certificates} where
    ${user} = ${users.address} and ${kind} = 'subject' and ${value} = ${subject} or
    ${user} = ${users.address} and ${kind} = 'fingerprint' and ${value} = ${fingerprint})`;
  const { lastSuccess } = knownNetworks;
  const here = client === null ? "" : clientNetwork(client);
  return directory
    .select({
      user: users,
      group: groups,
      placed,
      candidate,
      failing: failingPorts(candidate),
      lastSuccess,
      access: rule.access,
      recipients: domains.recipients,
      appPassword: appPasswords,
      certified,
      ownSecret: ownSecret.sealed,
      upstreamSecret: upstreamSecret.sealed,
    })
    .from(sql`(select 1)`)
    .leftJoin(rule, sql`true`)
    .leftJoin(users, eq(users.address, ownerQuery(address)))
    .leftJoin(domains, sql`${domains.name} = ${domain}`)
    .leftJoin(groups, sql`${groups.name} = coalesce(${users.group}, ${domains.group})`)
    .leftJoin(placed, eq(placed.name, users.server))
    .leftJoin(
      candidate,
      and(sql`${candidate.group} in (${own}, ${near})`, eq(candidate.state, "up")),
    )
    .leftJoin(
      knownNetworks,
      and(eq(knownNetworks.user, users.address), eq(knownNetworks.network, here)),
    )
    .leftJoin(
      appPasswords,
      and(eq(appPasswords.user, users.address), sql`${appPasswords.digest} = ${appPassword}`),
    )
    .leftJoin(ownSecret, and(eq(ownSecret.user, users.address), eq(ownSecret.purpose, "own")))
    .leftJoin(
      upstreamSecret,
      and(eq(upstreamSecret.user, users.address), eq(upstreamSecret.purpose, "upstream")),
    );
}

/** Whose address or alias this is: nobody's alias may shadow a user's own address. */
function ownerQuery(address: string) {
  return sql<string | null>`coalesce(
    (select ${users.address} from ${users} where ${users.address} = ${address}),
    (select ${aliases.user} from ${aliases} where ${aliases.address} = ${address}))`;
}

/** @returns the address of the user whose address or alias this is; null if it is nobody's */
export async function ownerOf(directory: Directory, address: string): Promise<string | null> {
  const [row] = await directory.select({ owner: ownerQuery(address) }).from(sql`(select 1)`);
  return row?.owner ?? null;
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

/** Replaces a stored hash, unless somebody has set another password meanwhile. */
export async function replaceHash(
  directory: Directory,
  address: string,
  from: string,
  to: string,
): Promise<void> {
  await directory
    .update(users)
    .set({ passwordHash: to })
    .where(and(eq(users.address, address), eq(users.passwordHash, from)));
}
