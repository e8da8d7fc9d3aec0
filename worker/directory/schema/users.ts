/** Who may log in, and with what. */
import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { groups, servers } from "./routing.ts";

/** The protocols that a user or an app password may be used for. */
const protocols = {
  imap: integer({ mode: "boolean" }).notNull().default(true),
  pop3: integer({ mode: "boolean" }).notNull().default(true),
  smtp: integer({ mode: "boolean" }).notNull().default(true),
};

export const users = sqliteTable(
  "users",
  {
    address: text().primaryKey(),
    /** In any scheme of `passwords/schemes/`. */
    passwordHash: text("password_hash").notNull(),
    enabled: integer({ mode: "boolean" }).notNull().default(true),
    ...protocols,
    group: text()
      .notNull()
      .references(() => groups.name, { onUpdate: "cascade" }),
    /**
     * Where the mailbox lives; null until the first login with `own` storage, and never changed by itself.
     * With `shared` storage: the server that the user is pinned to, if any.
     */
    server: text().references(() => servers.name, { onUpdate: "cascade" }),
    /** The name to log in with at the server, where it is not the address. */
    upstreamLogin: text("upstream_login"),
  },
  (table) => [
    // With the address, in whose order the users of a group or a server are listed.
    index("users_by_group").on(table.group, table.address),
    index("users_by_server").on(table.server, table.address),
    check("users_address", sql`${table.address} = lower(${table.address})`),
  ],
);

/** A row that goes where its user goes. */
const owner = () =>
  text()
    .notNull()
    .references(() => users.address, { onUpdate: "cascade", onDelete: "cascade" });

/** Other addresses by which a user may log in. */
export const aliases = sqliteTable(
  "aliases",
  { address: text().primaryKey(), user: owner() },
  (table) => [
    index("aliases_by_user").on(table.user, table.address),
    check("aliases_address", sql`${table.address} = lower(${table.address})`),
  ],
);

/** Passwords for one program each, made by us: long and random, so that a fast digest keeps them. */
export const appPasswords = sqliteTable(
  "app_passwords",
  {
    user: owner(),
    /** What the user calls it. */
    label: text().notNull(),
    /** `digestOf` what was made: a login finds it by that. */
    digest: text().notNull(),
    ...protocols,
    created: integer({ mode: "timestamp" }).notNull(),
    expires: integer({ mode: "timestamp" }),
    lastUsed: integer("last_used", { mode: "timestamp" }),
  },
  (table) => [
    primaryKey({ columns: [table.user, table.label] }),
    uniqueIndex("app_passwords_by_digest").on(table.user, table.digest),
  ],
);

/** Passwords that must be read again, each under a key that the database does not have: `secrets/`. */
export const secrets = sqliteTable(
  "secrets",
  {
    user: owner(),
    /**
     * `own`: the user's own password, for methods in which the client proves it without sending it.
     * `upstream`: what the user's server takes, which the user need not know.
     */
    purpose: text({ enum: ["own", "upstream"] }).notNull(),
    sealed: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.user, table.purpose] }),
    check("secrets_purpose", sql`${table.purpose} in ('own', 'upstream')`),
  ],
);

/** Client certificates by which users may log in with EXTERNAL. */
export const certificates = sqliteTable(
  "certificates",
  {
    user: owner(),
    kind: text({ enum: ["subject", "fingerprint"] }).notNull(),
    /** As `Auth-SSL-Subject` or `Auth-SSL-Fingerprint` says it. */
    value: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.user, table.kind, table.value] }),
    check("certificates_kind", sql`${table.kind} in ('subject', 'fingerprint')`),
  ],
);

/** Networks from which a user has logged in: an attack from elsewhere does not slow them down there. */
export const knownNetworks = sqliteTable(
  "known_networks",
  {
    user: owner(),
    /** In canonical form: an IPv4 address with /32, or an IPv6 network of /64. */
    network: text().notNull(),
    lastSuccess: integer("last_success", { mode: "timestamp" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.user, table.network] }),
    index("known_networks_by_age").on(table.lastSuccess),
  ],
);
