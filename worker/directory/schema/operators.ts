/** Who runs this, and what they did. */
import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Bearer tokens: operators' for the admin API, and those of proxies. */
export const adminTokens = sqliteTable(
  "admin_tokens",
  {
    name: text().primaryKey(),
    /** SHA-256 of the token, which is long and random, in hex. */
    digest: text().notNull().unique(),
    /**
     * `support` may do what a help desk does: reset passwords, lift blocks. `fleet` is a proxy, which may
     * report and listen, and nothing else, under this row's name.
     */
    role: text({ enum: ["read", "support", "admin", "fleet"] }).notNull(),
    created: integer({ mode: "timestamp" }).notNull(),
    expires: integer({ mode: "timestamp" }),
  },
  (table) => [
    check("admin_tokens_role", sql`${table.role} in ('read', 'support', 'admin', 'fleet')`),
  ],
);

/** Every change, and never a secret. */
export const audit = sqliteTable(
  "audit",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    time: integer({ mode: "timestamp" }).notNull(),
    /** The name of the admin token. */
    actor: text().notNull(),
    /** Such as `user.create`. */
    action: text().notNull(),
    subject: text().notNull(),
    /** JSON. */
    details: text().notNull().default("{}"),
  },
  (table) => [index("audit_by_subject").on(table.subject), index("audit_by_time").on(table.time)],
);
