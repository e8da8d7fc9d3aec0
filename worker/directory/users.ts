import { and, desc, eq, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { clientNetwork, type Ip, networksOf } from "../../shared/address.ts";
import type { AppPassword } from "./app-passwords.ts";
import type { Directory } from "./database.ts";
import { orFailure } from "./failure.ts";
import type { DirectorySession } from "./session.ts";
import { type CandidateServer, candidatesIn, failingPorts } from "./server-health.ts";
import {
  type Group,
  type MailServer,
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

type UserRow = typeof users.$inferSelect;

/** A user and the directory's rows that a lookup needs about them. */
export interface UserEntry {
  readonly user: UserRow;
  readonly group: Group;
  /** The server that holds the mailbox, or to which the user is pinned; null if there is none. */
  readonly placed: MailServer | null;
  /** For a user without such a server: the group's servers that are up, and those of the client's network rule. */
  readonly candidates: readonly CandidateServer[];
  /** The last login from the client's network; null if there is none. */
  readonly lastSuccess: Date | null;
  /** The app password that the client presented; null if the user has no such one. */
  readonly appPassword: AppPassword | null;
  /** True if the client's certificate is bound to the user. */
  readonly certified: boolean;
  /** The user's own password and their upstream password, both sealed; null if the directory has none. */
  readonly ownSecret: string | null;
  readonly upstreamSecret: string | null;
}

/** Rows that `findUser` looks for in addition to the user. */
export interface SearchTerms {
  /** The `digestOf` an app password. */
  readonly appPassword?: string;
  readonly certificate?: Readonly<Record<"subject" | "issuer" | "fingerprint", string | null>>;
  /** The domain of a recipient of mail, in the form of `comparableDomain`. */
  readonly domain?: string;
}

export interface FoundUser {
  /** Null if there is no such user. */
  readonly entry: UserEntry | null;
  /** False if a rule denies the client's network. */
  readonly admitted: boolean;
  /** Null if the directory has no such domain, or the search had none. */
  readonly domain: MailDomain | null;
}

export interface MailDomain {
  /** The recipients that the domain accepts. */
  readonly recipients: (typeof domains.$inferSelect)["recipients"];
  /** The servers for recipients that are not users. */
  readonly catchAll: Pick<UserEntry, "group" | "candidates">;
}

/**
 * Finds a user by address or alias, in one statement.
 *
 * @param client the client's address; null if it has none
 * @throws DirectoryFailure
 */
export async function findUser(
  session: DirectorySession,
  address: string,
  client: Ip | null,
  terms: SearchTerms = {},
): Promise<FoundUser> {
  const rows = await session.rows(userQuery(session.directory, address, client, terms));
  const [first] = rows;
  if (first === undefined) return { entry: null, admitted: true, domain: null };
  const { user, group, access, recipients, candidate: _, failing: __, certified, ...rest } = first;
  const candidates = candidatesIn(rows);
  const entry = group && user && { ...rest, user, group, candidates, certified: certified === 1 };
  const domain = group && recipients && { recipients, catchAll: { group, candidates } };
  return { entry, admitted: access !== "deny", domain };
}

/** Selects one row for each candidate server, or one row if there is no candidate or no such user. */
function userQuery(
  directory: Directory,
  address: string,
  client: Ip | null,
  terms: SearchTerms = {},
) {
  const placed = alias(servers, "placed");
  const candidate = alias(servers, "candidate");
  const ownSecret = alias(secrets, "own_secret");
  const upstreamSecret = alias(secrets, "upstream_secret");
  // Each network is found by the primary key, without a scan of the rules.
  const clientNetworks = client === null ? [] : networksOf(client);
  const clientNetworkList = sql`(select value from json_each(${JSON.stringify(clientNetworks)}))`;
  const rule = directory
    .select({ network: networks.network, near: networks.group, access: networks.access })
    .from(networks)
    .where(sql`${networks.network} in ${clientNetworkList}`)
    .orderBy(desc(networks.prefix))
    .limit(1)
    .as("rule");
  // Null, which equals no group, for a user with a server: their candidates are not read.
  const own = sql`case when ${users.server} is null then ${groups.name} end`;
  const near = sql`case when ${users.server} is null and ${groups.policy} = 'nearest'
    and ${groups.storage} = 'shared' then ${rule.near} end`;
  // A missing search term is null, which equals nothing.
  const { appPassword = null, certificate, domain = null } = terms;
  const { subject = null, issuer: by = null, fingerprint = null } = certificate ?? {};
  const { user, kind, value, issuer } = certificates;
  const certified = sql<number>`exists (select 1 from ${certificates} where
    ${user} = ${users.address} and ${kind} = 'subject' and ${value} = ${subject} and ${issuer} = ${by} or
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

/** Selects the owner of an address or alias. A user's own address takes precedence over an alias. */
function ownerQuery(address: string) {
  return sql<string | null>`coalesce(
    (select ${users.address} from ${users} where ${users.address} = ${address}),
    (select ${aliases.user} from ${aliases} where ${aliases.address} = ${address}))`;
}

/**
 * @returns the address of the user with this address or alias; null if there is none
 * @throws DirectoryFailure
 */
export async function ownerOf(directory: Directory, address: string): Promise<string | null> {
  const query = directory.select({ owner: ownerQuery(address) }).from(sql`(select 1)`);
  const [row] = await orFailure(query);
  return row?.owner ?? null;
}

/**
 * Places a user on a server permanently, unless the user is placed already. Of two simultaneous first logins, the
 * first write decides for both.
 *
 * @returns the name of the user's server; null if the user was deleted
 * @throws DirectoryFailure
 */
export async function placeUser(
  directory: Directory,
  address: string,
  server: string,
): Promise<string | null> {
  const placing = directory
    .update(users)
    .set({ server: sql`coalesce(${users.server}, ${server})` })
    .where(eq(users.address, address))
    .returning({ server: users.server });
  const [placed] = await orFailure(placing);
  return placed?.server ?? null;
}

/**
 * Replaces a stored hash, unless the password was changed in the meantime. The logins stay good, since the statement
 * raises the version itself.
 */
export async function replaceHash(
  directory: Directory,
  address: string,
  from: string,
  to: string,
): Promise<void> {
  await directory
    .update(users)
    .set({ passwordHash: to, version: sql`${users.version} + 1` })
    .where(and(eq(users.address, address), eq(users.passwordHash, from)));
}
