/** Where mail is kept, and what decides who goes where. */
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

/** Servers that are interchangeable for a new user. */
export const groups = sqliteTable(
  "groups",
  {
    name: text().primaryKey(),
    /** How a server is chosen among several: `routing/` has a file for each. */
    policy: text({ enum: ["hash", "weighted", "nearest", "first"] })
      .notNull()
      .default("weighted"),
    /**
     * `own`: each server holds its users' mail, so a user stays where they were first placed.
     * `shared`: any server reaches all mail.
     */
    storage: text({ enum: ["own", "shared"] })
      .notNull()
      .default("own"),
    /**
     * With what we log in at its servers. `client`: what the client gave, a token too, or the user's own
     * password where the client gave none. `stored`: the user's upstream password. `master`: a Dovecot
     * master user, as `user*master`.
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
    /** An IP address, or a name, which is resolved for callers that take addresses only. */
    host: text().notNull(),
    /** The port of each protocol that it speaks; null where it does not. */
    imapPort: integer("imap_port"),
    pop3Port: integer("pop3_port"),
    smtpPort: integer("smtp_port"),
    /** TLS towards it, for callers that can; null leaves it to them. */
    tls: text({ enum: ["off", "starttls", "tls"] }),
    /** The name to verify in its certificate, where it is not the host. */
    tlsName: text("tls_name"),
    /** Its share of new users (or of logins, with shared storage), against the others' weights. */
    weight: integer().notNull().default(1),
    /** Its place in the order of the policy `first`. */
    position: integer().notNull().default(0),
    /** Degrees, for the policy `nearest`. */
    latitude: real(),
    longitude: real(),
    /** `draining` keeps the users it has and takes no new ones; `down` serves nobody. */
    state: text({ enum: ["up", "draining", "down"] })
      .notNull()
      .default("up"),
    /** What proxies report of it: `reported` counts, with shared storage; `ignored` counts for nothing. */
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

/** What lookups keep away from, as proxies agree that it fails; written by the object that takes their reports. */
export const serverHealth = sqliteTable(
  "server_health",
  {
    /** As a server has them. */
    host: text().notNull(),
    port: integer().notNull(),
    /** From then on the row counts for nothing. */
    until: integer({ mode: "timestamp" }).notNull(),
    /** Which proxies say so, and what they met. */
    why: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.host, table.port] })],
);

export type Server = typeof servers.$inferSelect;

/** Domains that we know, for mail to their users (`smtp_auth none`), and for users without a group. */
export const domains = sqliteTable(
  "domains",
  {
    name: text().primaryKey(),
    group: text()
      .notNull()
      .references(() => groups.name, { onUpdate: "cascade" }),
    /** Whose mail is taken: nobody's, that of users and aliases, or anybody's. */
    recipients: text({ enum: ["none", "known", "any"] })
      .notNull()
      .default("known"),
  },
  (table) => [
    check("domains_name", sql`${table.name} = lower(${table.name})`),
    check("domains_recipients", sql`${table.recipients} in ('none', 'known', 'any')`),
  ],
);

/** Rules for clients by their address; of several that hold it, the longest prefix counts. */
export const networks = sqliteTable(
  "networks",
  {
    /** In canonical form: `192.0.2.0/24`, `2001:db8::/32`. */
    network: text().primaryKey(),
    prefix: integer().notNull(),
    access: text({ enum: ["allow", "deny"] })
      .notNull()
      .default("allow"),
    /** Whose servers are nearest to these clients, for users of `nearest` groups with shared storage. */
    group: text().references(() => groups.name, { onUpdate: "cascade" }),
  },
  (table) => [check("networks_access", sql`${table.access} in ('allow', 'deny')`)],
);
