/** The form in which users' addresses are compared: by the directory, and by a proxy that hears of a user by name. */
import { idnaName } from "./idna.ts";

/**
 * Lower case, since mail services do not give two users addresses that differ only by case, and the domain in its IDNA
 * form (RFC 5891). A bare name stays bare.
 */
export function comparableAddress(address: string): string {
  const at = address.lastIndexOf("@");
  if (at === -1) return lowerCase(address);
  return `${lowerCase(address.slice(0, at))}@${comparableDomain(address.slice(at + 1))}`;
}

/** Normalizes twice: a small letter may have a precomposed form where the capital has none ("J\u030C", "\u01F0"). */
function lowerCase(text: string): string {
  return text.normalize("NFC").toLowerCase().normalize("NFC");
}

/** Leaves an invalid domain as it is, but in lower case. No user has such a domain. */
export function comparableDomain(domain: string): string {
  return idnaName(domain) ?? domain.toLowerCase();
}
