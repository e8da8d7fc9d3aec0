/** Networks from which a user has logged in. */
import { and, eq, lte } from "drizzle-orm";
import type { Directory } from "./database.ts";
import { knownNetworks } from "./schema/index.ts";

const DAY = 86_400_000;

/** ms after the last success that a network stays known. */
export const KNOWN_FOR = 90 * DAY;

export function isKnownGood(lastSuccess: Date | null, now = Date.now()): boolean {
  return lastSuccess !== null && now - lastSuccess.getTime() < KNOWN_FOR;
}

/** True if the success must be written. It is written once a day. */
export function isSuccessStale(lastSuccess: Date | null, now = Date.now()): boolean {
  return lastSuccess === null || now - lastSuccess.getTime() >= DAY;
}

/** Writes a success. Of several simultaneous ones one is written. */
export async function recordSuccess(
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

/** Forgets a network for all users. */
export async function forgetNetworkOfAll(directory: Directory, network: string): Promise<void> {
  await directory.delete(knownNetworks).where(eq(knownNetworks.network, network));
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
