/** Checks a token's claims, from a JWT or from an introspection. */
import { normalAddress } from "../directory/address.ts";
import { type TokenResult, UNFIT } from "./token-result.ts";
import { ANY_DOMAIN, type Provider } from "./providers.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Seconds by which clocks may differ. */
export const CLOCK_TOLERANCE = 30;

/** Reads the address from the claims of a token that is authentic, valid now, and meant for us. */
export function addressIn(claims: Claims, provider: Provider): TokenResult {
  const { domains, scope } = provider;
  if (!isVerified(claims, provider)) return UNFIT;
  if (scope !== undefined && !scopes(claims).includes(scope)) return UNFIT;
  // A token that is bound to a key is no bearer token (RFC 7800 section 3.1, RFC 9449 section 7.2).
  if (claims["cnf"] !== undefined) return UNFIT;
  const address = canonicalAddress(claims[provider.address], provider);
  if (address === null || !vouchesFor(domains, address)) return UNFIT;
  const { exp } = claims;
  return {
    kind: "valid",
    address,
    domains,
    expires: typeof exp === "number" ? exp * 1000 : Infinity,
  };
}

/** True if a provider with these domains may log in the user with this address. */
export function vouchesFor(domains: readonly string[], address: string): boolean {
  return (
    domains.includes(ANY_DOMAIN) || domains.includes(address.slice(address.lastIndexOf("@") + 1))
  );
}

/** Any user may claim an address that the provider has not verified (OpenID Connect Core, section 5.1). */
function isVerified(claims: Claims, { address, email_verified: wanted }: Provider): boolean {
  return address !== "email" || wanted === "ignored" || claims["email_verified"] === true;
}

/** RFC 8693 section 4.2, a list, as some providers send it, or Microsoft's `scp`. */
function scopes({ scope, scp }: Claims): readonly unknown[] {
  return [scope, scp].flatMap((value) => (typeof value === "string" ? value.split(" ") : value));
}

/** RFC 5321 section 4.5.3.1: 64 octets, an at sign, 255 octets. */
const MAX_ADDRESS_LENGTH = 320;

/**
 * Reads an address that needs no rule for typed names, since such a rule makes another user's address of some names:
 * `alice%example.test` with separators, or a Kelvin sign, which is a k in lower case.
 *
 * @returns null for an address that is not in the directory's form, but for the capitals A to Z
 */
function canonicalAddress(claim: unknown, { default_domain }: Provider): string | null {
  if (typeof claim !== "string" || claim.length > MAX_ADDRESS_LENGTH) return null;
  const folded = claim.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const isBare = !folded.includes("@");
  const address = isBare && default_domain !== undefined ? `${folded}@${default_domain}` : folded;
  return /^[^\s@]+@[^\s@]+$/.test(address) && normalAddress(address) === address ? address : null;
}
