/** Passwords for one program each. A lookup finds one by its digest: `userQuery`. */
import { and, eq, isNull, lte, or } from "drizzle-orm";
import type { ProtocolName } from "../../shared/lookup.ts";
import type { Directory } from "./database.ts";
import { appPasswords } from "./schema/index.ts";

export type AppPassword = typeof appPasswords.$inferSelect;

const HOUR = 3_600_000;

/** Whether it may be used for this protocol now. */
export function isUsable(password: AppPassword, protocol: ProtocolName, now = Date.now()): boolean {
  return password[protocol] && (password.expires === null || now < password.expires.getTime());
}

/** Whether a use is worth writing down: once an hour is enough. */
export function isUnnoted({ lastUsed }: AppPassword, now = Date.now()): boolean {
  return lastUsed === null || now - lastUsed.getTime() >= HOUR;
}

/** Of several uses at the same moment one is written. */
export async function noteUse(
  directory: Directory,
  { user, label }: AppPassword,
  now = Date.now(),
): Promise<void> {
  const { lastUsed } = appPasswords;
  const unnoted = or(isNull(lastUsed), lte(lastUsed, new Date(now - HOUR)));
  await directory
    .update(appPasswords)
    .set({ lastUsed: new Date(now) })
    .where(and(eq(appPasswords.user, user), eq(appPasswords.label, label), unnoted));
}
