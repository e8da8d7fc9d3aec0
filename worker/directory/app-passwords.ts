/** App passwords: each is for one mail program. `userQuery` finds one by its digest. */
import { and, eq, isNull, lte, or } from "drizzle-orm";
import type { ProtocolName } from "../../shared/lookup.ts";
import type { Directory } from "./database.ts";
import { appPasswords } from "./schema/index.ts";

export type AppPassword = typeof appPasswords.$inferSelect;

const HOUR = 3_600_000;

/** True if the password may be used for this protocol now. */
export function isUsable(password: AppPassword, protocol: ProtocolName, now = Date.now()): boolean {
  return password[protocol] && (password.expires === null || now < password.expires.getTime());
}

/** True if the last use must be written. It is written once an hour. */
export function isUseStale({ lastUsed }: AppPassword, now = Date.now()): boolean {
  return lastUsed === null || now - lastUsed.getTime() >= HOUR;
}

/** Writes a use. Of several simultaneous uses one is written. */
export async function recordUse(
  directory: Directory,
  { user, label }: AppPassword,
  now = Date.now(),
): Promise<void> {
  const { lastUsed } = appPasswords;
  const stale = or(isNull(lastUsed), lte(lastUsed, new Date(now - HOUR)));
  await directory
    .update(appPasswords)
    .set({ lastUsed: new Date(now) })
    .where(and(eq(appPasswords.user, user), eq(appPasswords.label, label), stale));
}
