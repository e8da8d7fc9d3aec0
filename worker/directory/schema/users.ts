/** Users and their credentials. */
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

/** The protocols for which a user or an app password is allowed. */
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
     * With `own` storage: the server with the mailbox, null until the first login; only operators change it later.
     * With `shared` storage: the server to which the user is pinned, if any.
     */
    server: text().references(() => servers.name, { onUpdate: "cascade" }),
    /** The login name at the server, if it is not the address. */
    upstreamLogin: text("upstream_login"),
    /** `newUserId`. A trigger makes one for a row that is inserted without one, as by hand. */
    id: text().notNull().default(""),
    /** Triggers raise it at each change of a means of login (`0002_user_versions.sql`), and refuse a smaller one. */
    version: integer().notNull().default(1),
  },
  (table) => [
    // The users of a group or a server are listed in the order of their addresses.
    index("users_by_group").on(table.group, table.address),
    index("users_by_server").on(table.server, table.address),
    uniqueIndex("users_by_id").on(table.id),
    check("users_address", sql`${table.address} = lower(${table.address})`),
  ],
);

/**
 * Users with logins that must end, until the fleet has been told. Triggers insert the rows, in the transaction of the
 * change. The columns are those of the user before the change.
 */
export const revocations = sqliteTable("revocations", {
  number: integer().primaryKey({ autoIncrement: true }),
  /** Null for a user who was deleted earlier. */
  id: text(),
  /** Logins at an earlier version must end. Null without an id. */
  version: integer(),
  address: text().notNull(),
  upstreamLogin: text("upstream_login"),
  masterUser: text("master_user"),
});

/** A reference to the row's user. The row changes and disappears with them. */
const owner = () =>
  text()
    .notNull()
    .references(() => users.address, { onUpdate: "cascade", onDelete: "cascade" });

/** Additional addresses with which a user may log in. */
export const aliases = sqliteTable(
  "aliases",
  { address: text().primaryKey(), user: owner() },
  (table) => [
    index("aliases_by_user").on(table.user, table.address),
    check("aliases_address", sql`${table.address} = lower(${table.address})`),
  ],
);

/** Generated passwords for one mail program each. They are long and random, so a fast digest protects them. */
export const appPasswords = sqliteTable(
  "app_passwords",
  {
    user: owner(),
    /** The user's name for the password. */
    label: text().notNull(),
    /** The `digestOf` the password, by which a login finds it. */
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

/** Recoverable passwords, encrypted with keys that the database does not have: `secrets/`. */
export const secrets = sqliteTable(
  "secrets",
  {
    user: owner(),
    /**
     * `own`: the user's own password, for methods in which the client does not send it.
     * `upstream`: the password at the user's server, which the user need not know.
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
    /** The value of `Auth-SSL-Subject` or `Auth-SSL-Fingerprint`. */
    value: text().notNull(),
    /**
     * The value of `Auth-SSL-Issuer`, for a subject: another authority that the proxy trusts may give the same one
     * to its own users. A subject without an issuer logs no user in. Null for a fingerprint.
     */
    issuer: text(),
  },
  (table) => [
    primaryKey({ columns: [table.user, table.kind, table.value] }),
    check("certificates_kind", sql`${table.kind} in ('subject', 'fingerprint')`),
  ],
);

/** Networks from which a user has logged in. An attack from another network does not slow the user down there. */
export const knownNetworks = sqliteTable(
  "known_networks",
  {
    user: owner(),
    /** In canonical form: IPv4 with /32, or IPv6 with /64. */
    network: text().notNull(),
    lastSuccess: integer("last_success", { mode: "timestamp" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.user, table.network] }),
    index("known_networks_by_age").on(table.lastSuccess),
    index("known_networks_by_network").on(table.network),
  ],
);

/** The costliest stored hash of each kind, so that all refusals can cost the same (`passwords/work.ts`). */
export const passwordWork = sqliteTable("password_work", {
  kind: text().primaryKey(),
  units: integer().notNull(),
  /** When such a hash was last met. */
  seen: integer({ mode: "timestamp" }).notNull(),
});
