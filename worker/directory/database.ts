import type { DrizzleD1Database } from "drizzle-orm/d1";

/** The directory's database. A query outside a D1 session (`session.ts`) goes to the primary. */
export type Directory = DrizzleD1Database;
