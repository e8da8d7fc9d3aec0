import type { DrizzleD1Database } from "drizzle-orm/d1";

/** The directory's database. */
export type Directory = DrizzleD1Database;
