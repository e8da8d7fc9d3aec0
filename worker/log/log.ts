import { DrizzleQueryError } from "drizzle-orm/errors";

/** Writes one line of JSON for operators. It must contain no secrets and no credentials. */
export function logError(message: string, fields: Record<string, string | undefined> = {}): void {
  console.error(JSON.stringify({ level: "error", message, ...fields }));
}

/** Writes a warning: the cause is outside the worker. */
export function logWarning(message: string, fields: Record<string, string | undefined> = {}): void {
  console.warn(JSON.stringify({ level: "warn", message, ...fields }));
}

const logged = new Set<string>();

/** Writes a warning once in the life of an isolate, for a state that lasts. */
export function logWarningOnce(message: string): void {
  if (logged.has(message)) return;
  logged.add(message);
  logWarning(message);
}

/** An error's message, for the log. Drizzle's message contains the statement and its values, so D1's is used. */
export function describe(error: unknown): string {
  return String(error instanceof DrizzleQueryError ? error.cause : error);
}
