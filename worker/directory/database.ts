import type { DrizzleD1Database } from "drizzle-orm/d1";

/** The directory's database: its primary, as long as no session of D1's is asked for (`reading.ts`). */
export type Directory = DrizzleD1Database;
