import { DrizzleQueryError } from "drizzle-orm/errors";

/** What went wrong in D1. Drizzle's own message holds the statement and what it was asked for; D1's does not. */
export function describeFailure(error: unknown): string {
  return String(error instanceof DrizzleQueryError ? error.cause : error);
}
