/** Certificates that expire soon, or have expired. */
import type { ServerCertificate } from "./files/certificate.ts";

/** ms before the expiry at which warnings begin. */
const EARLY = 14 * 24 * 60 * 60 * 1000;

/** Warnings at a time. The certificates that expire first get them. */
const MOST = 20;

/** @param now ms since 1970 */
export function expiringSoon(
  all: readonly ServerCertificate[],
  now = Date.now(),
): readonly ServerCertificate[] {
  return all
    .filter(({ expires }) => expires - now < EARLY)
    .toSorted((one, other) => one.expires - other.expires);
}

/** A warning for each certificate, and the number of those beyond the limit. */
export function expiryWarnings(
  certificates: readonly ServerCertificate[],
  now = Date.now(),
): readonly string[] {
  const warnings = certificates.slice(0, MOST).map(({ file, expires }) => {
    const date = new Date(expires).toISOString().replace(/\.\d+Z$/, "Z");
    return `certificate "${file}" ${expires > now ? "expires" : "expired"} at ${date}`;
  });
  const more = certificates.length - warnings.length;
  return more === 0 ? warnings : [...warnings, `${more} more certificates expire or have expired`];
}
