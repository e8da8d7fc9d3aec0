/** Mail servers, and the rules that choose one for a user. */
import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
} from "drizzle-orm/sqlite-core";

/** A group of servers that are interchangeable for a new user. */
export const groups = sqliteTable(
  "groups",
  {
    name: text().primaryKey(),
    /** The policy that chooses a server. `routing/` has a file for each. */
    policy: text({ enum: ["hash", "weighted", "nearest", "first"] })
      .notNull()
      .default("weighted"),
    /**
     * `own`: each server holds its users' mail, so a user stays on the server of their first login.
     * `shared`: all servers have all mail.
     */
    storage: text({ enum: ["own", "shared"] })
      .notNull()
      .default("own"),
    /**
     * The credentials for the group's servers. `client`: the client's password or token, or the user's own password
     * if the client sent none. `stored`: the user's upstream password. `master`: a Dovecot master user, as
     * `user*master`.
     */
    upstreamAuth: text("upstream_auth", { enum: ["client", "stored", "master"] })
      .notNull()
      .default("client"),
    masterUser: text("master_user"),
  },
  (table) => [
    check("groups_policy", sql`${table.policy} in ('hash', 'weighted', 'nearest', 'first')`),
    check("groups_storage", sql`${table.storage} in ('own', 'shared')`),
    check("groups_upstream_auth", sql`${table.upstreamAuth} in ('client', 'stored', 'master')`),
    check(
      "groups_master_user",
      sql`${table.upstreamAuth} <> 'master' or ${table.masterUser} is not null`,
    ),
  ],
);

export type Group = typeof groups.$inferSelect;

export const servers = sqliteTable(
  "servers",
  {
    name: text().primaryKey(),
    group: text()
      .notNull()
      .references(() => groups.name, { onUpdate: "cascade" }),
    /** An IP address, or a name, which the worker resolves for callers that accept only addresses. */
    host: text().notNull(),
    /** The port of each protocol; null if the server does not speak it. */
    imapPort: integer("imap_port"),
    pop3Port: integer("pop3_port"),
    smtpPort: integer("smtp_port"),
    /** TLS to the server, for callers that support it; null lets the caller decide. */
    tls: text({ enum: ["off", "starttls", "tls"] }),
    /** The name to verify in the certificate, if it differs from the host. */
    tlsName: text("tls_name"),
    /** The server's share of new users (of logins, with shared storage), relative to the group's other weights. */
    weight: integer().notNull().default(1),
    /** The server's position in the order of the policy `first`. */
    position: integer().notNull().default(0),
    /** Degrees, for the policy `nearest`. */
    latitude: real(),
    longitude: real(),
    /** `draining` keeps its users and takes no new ones. `down` serves no user. */
    state: text({ enum: ["up", "draining", "down"] })
      .notNull()
      .default("up"),
    /** `reported`: with shared storage, lookups avoid the server while proxies report it. `ignored`: they do not. */
    health: text({ enum: ["reported", "ignored"] })
      .notNull()
      .default("reported"),
  },
  (table) => [
    index("servers_by_group").on(table.group, table.name),
    check("servers_host", sql`${table.host} = lower(${table.host})`),
    check("servers_weight", sql`${table.weight} > 0`),
    check("servers_state", sql`${table.state} in ('up', 'draining', 'down')`),
    check("servers_health", sql`${table.health} in ('reported', 'ignored')`),
    check("servers_tls", sql`${table.tls} in ('off', 'starttls', 'tls')`),
    check("servers_imap_port", sql`${table.imapPort} between 1 and 65535`),
    check("servers_pop3_port", sql`${table.pop3Port} between 1 and 65535`),
    check("servers_smtp_port", sql`${table.smtpPort} between 1 and 65535`),
    check("servers_latitude", sql`${table.latitude} between -90 and 90`),
    check("servers_longitude", sql`${table.longitude} between -180 and 180`),
  ],
);

/** Servers that proxies report as failing. Lookups avoid them. The fleet's Durable Object writes the rows. */
export const serverHealth = sqliteTable(
  "server_health",
  {
    /** The host and port of a server. */
    host: text().notNull(),
    port: integer().notNull(),
    /** When the row expires. */
    until: integer({ mode: "timestamp" }).notNull(),
    /** The reporting proxies and their reasons. */
    why: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.host, table.port] })],
);

export type MailServer = typeof servers.$inferSelect;

/** Our mail domains, for mail to their users (`smtp_auth none`) and for users without a group. */
export const domains = sqliteTable(
  "domains",
  {
    name: text().primaryKey(),
    group: text()
      .notNull()
      .references(() => groups.name, { onUpdate: "cascade" }),
    /** Accepted recipients: none, users and their aliases, or any address. */
    recipients: text({ enum: ["none", "known", "any"] })
      .notNull()
      .default("known"),
  },
  (table) => [
    check("domains_name", sql`${table.name} = lower(${table.name})`),
    check("domains_recipients", sql`${table.recipients} in ('none', 'known', 'any')`),
  ],
);

/** Rules for clients by address. The rule with the longest prefix applies. */
export const networks = sqliteTable(
  "networks",
  {
    /** In canonical form: `192.0.2.0/24`, `2001:db8::/32`. */
    network: text().primaryKey(),
    prefix: integer().notNull(),
    access: text({ enum: ["allow", "deny"] })
      .notNull()
      .default("allow"),
    /** The group with the nearest servers to these clients, for users of `nearest` groups with shared storage. */
    group: text().references(() => groups.name, { onUpdate: "cascade" }),
  },
  (table) => [check("networks_access", sql`${table.access} in ('allow', 'deny')`)],
);
