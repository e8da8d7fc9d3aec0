import { DrizzleQueryError } from "drizzle-orm/errors";

/** Writes one line of JSON about something that an operator should see. No secrets, no credentials. */
export function logError(message: string, facts: Record<string, string | undefined> = {}): void {
  console.error(JSON.stringify({ level: "error", message, ...facts }));
}

/** The same for what is no fault of ours. */
export function logWarning(message: string, facts: Record<string, string | undefined> = {}): void {
  console.warn(JSON.stringify({ level: "warn", message, ...facts }));
}

const said = new Set<string>();

/** The same for what is so until somebody changes it: once in the life of an isolate. */
export function logWarningOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  logWarning(message);
}

/** An error's words. Drizzle's own hold the statement and what it was asked for; the cause is D1's. */
export function describe(error: unknown): string {
  return String(error instanceof DrizzleQueryError ? error.cause : error);
}
