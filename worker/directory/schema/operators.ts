/** Operators' tokens, and the audit log. */
import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Bearer tokens of operators, for the admin API, and of proxies, for the fleet API. */
export const adminTokens = sqliteTable(
  "admin_tokens",
  {
    name: text().primaryKey(),
    /** `digestOf` the token. */
    digest: text().notNull().unique(),
    /**
     * `support` may do what a help desk does: reset passwords, lift blocks. `fleet` is a proxy with this row's name.
     * A proxy may only use the fleet API.
     */
    role: text({ enum: ["read", "support", "admin", "fleet"] }).notNull(),
    created: integer({ mode: "timestamp" }).notNull(),
    expires: integer({ mode: "timestamp" }),
  },
  (table) => [
    check("admin_tokens_role", sql`${table.role} in ('read', 'support', 'admin', 'fleet')`),
  ],
);

/** All changes, without secrets. */
export const audit = sqliteTable(
  "audit",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    time: integer({ mode: "timestamp" }).notNull(),
    /** The name of the admin token. */
    actor: text().notNull(),
    /** For example `user.create`. */
    action: text().notNull(),
    subject: text().notNull(),
    /** JSON. */
    details: text().notNull().default("{}"),
  },
  (table) => [index("audit_by_subject").on(table.subject), index("audit_by_time").on(table.time)],
);
