/**
 * The directory's tables in D1: who may log in, and where their mail is kept.
 *
 * Rows are named by what an operator calls them (an address, a server's name), so that a row can be
 * read alone. Addresses are stored in lower case (`normalAddress`), which the database enforces.
 */
import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Servers that are interchangeable for a new user. */
export const groups = sqliteTable(
  "groups",
  {
    name: text().primaryKey(),
    /** How a server is chosen among several. */
    policy: text({ enum: ["weighted"] })
      .notNull()
      .default("weighted"),
    /**
     * `own`: each server holds its users' mail, so a user stays where they were first placed.
     * `shared`: any server reaches all mail.
     */
    storage: text({ enum: ["own", "shared"] })
      .notNull()
      .default("own"),
  },
  (table) => [check("groups_storage", sql`${table.storage} in ('own', 'shared')`)],
);

export const servers = sqliteTable(
  "servers",
  {
    name: text().primaryKey(),
    group: text()
      .notNull()
      .references(() => groups.name, { onUpdate: "cascade" }),
    /** An IP address: nginx takes nothing else. */
    host: text().notNull(),
    /** The port of each protocol that it speaks; null where it does not. */
    imapPort: integer("imap_port"),
    pop3Port: integer("pop3_port"),
    smtpPort: integer("smtp_port"),
    /** Its share of new users (or of logins, with shared storage), against the others' weights. */
    weight: integer().notNull().default(1),
    /** `draining` keeps the users it has and takes no new ones; `down` serves nobody. */
    state: text({ enum: ["up", "draining", "down"] })
      .notNull()
      .default("up"),
  },
  (table) => [
    index("servers_by_group").on(table.group),
    check("servers_weight", sql`${table.weight} > 0`),
    check("servers_state", sql`${table.state} in ('up', 'draining', 'down')`),
    check("servers_imap_port", sql`${table.imapPort} between 1 and 65535`),
    check("servers_pop3_port", sql`${table.pop3Port} between 1 and 65535`),
    check("servers_smtp_port", sql`${table.smtpPort} between 1 and 65535`),
  ],
);

export const users = sqliteTable(
  "users",
  {
    address: text().primaryKey(),
    /** In any scheme of `passwords/schemes.ts`. */
    passwordHash: text("password_hash").notNull(),
    enabled: integer({ mode: "boolean" }).notNull().default(true),
    /** The protocols that this user may use. */
    imap: integer({ mode: "boolean" }).notNull().default(true),
    pop3: integer({ mode: "boolean" }).notNull().default(true),
    smtp: integer({ mode: "boolean" }).notNull().default(true),
    group: text()
      .notNull()
      .references(() => groups.name, { onUpdate: "cascade" }),
    /** Where the mailbox lives; null until the first login with `own` storage. Never changed by itself. */
    server: text().references(() => servers.name, { onUpdate: "cascade" }),
    /** The name to log in with at the server, where it is not the address. */
    upstreamLogin: text("upstream_login"),
  },
  (table) => [
    index("users_by_group").on(table.group),
    index("users_by_server").on(table.server),
    check("users_address", sql`${table.address} = lower(${table.address})`),
  ],
);

/** Other addresses by which a user may log in. */
export const aliases = sqliteTable(
  "aliases",
  {
    address: text().primaryKey(),
    user: text()
      .notNull()
      .references(() => users.address, { onUpdate: "cascade", onDelete: "cascade" }),
  },
  (table) => [
    index("aliases_by_user").on(table.user),
    check("aliases_address", sql`${table.address} = lower(${table.address})`),
  ],
);
