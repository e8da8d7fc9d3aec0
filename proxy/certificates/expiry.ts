/** Certificates that are about to expire, or have. */
import type { Certified } from "./files/certificate.ts";

/** ms before the end that it is time to say so. */
const EARLY = 14 * 24 * 60 * 60 * 1000;

/** Certificates told of at a time: those that expire first. */
const MOST = 20;

/** @param now ms since 1970 */
export function expiring(all: readonly Certified[], now = Date.now()): readonly Certified[] {
  return all
    .filter(({ expires }) => expires - now < EARLY)
    .toSorted((one, other) => one.expires - other.expires);
}

/** A warning each, and how many there are beyond that. */
export function expiryWarnings(some: readonly Certified[], now = Date.now()): readonly string[] {
  const told = some.slice(0, MOST).map(({ file, expires }) => {
    const date = new Date(expires).toISOString().replace(/\.\d+Z$/, "Z");
    return `certificate "${file}" ${expires > now ? "expires" : "expired"} at ${date}`;
  });
  const more = some.length - told.length;
  return more === 0 ? told : [...told, `${more} more certificates expire or have expired`];
}
