/** Networks from which a user has logged in before. */
import { and, eq, lte } from "drizzle-orm";
import type { Directory } from "./database.ts";
import { knownNetworks } from "./schema/index.ts";

const DAY = 86_400_000;

/** A network where a user has not been for so long is as strange as any, ms. */
export const KNOWN_FOR = 90 * DAY;

export function isKnownGood(lastSuccess: Date | null, now = Date.now()): boolean {
  return lastSuccess !== null && now - lastSuccess.getTime() < KNOWN_FOR;
}

/** Whether a success is worth writing down: once a day is enough. */
export function isStale(lastSuccess: Date | null, now = Date.now()): boolean {
  return lastSuccess === null || now - lastSuccess.getTime() >= DAY;
}

/** Of several at the same moment one is written. */
export async function noteSuccess(
  directory: Directory,
  user: string,
  network: string,
  now = Date.now(),
): Promise<void> {
  const lastSuccess = new Date(now);
  await directory
    .insert(knownNetworks)
    .values({ user, network, lastSuccess })
    .onConflictDoUpdate({
      target: [knownNetworks.user, knownNetworks.network],
      set: { lastSuccess },
      setWhere: lte(knownNetworks.lastSuccess, new Date(now - DAY)),
    });
}

export async function forgetNetwork(
  directory: Directory,
  user: string,
  network: string,
): Promise<void> {
  await directory
    .delete(knownNetworks)
    .where(and(eq(knownNetworks.user, user), eq(knownNetworks.network, network)));
}
