/** Checks a token's claims, from a JWT or from an introspection. */
import { type TokenResult, UNFIT } from "./token-result.ts";
import type { Provider } from "./providers.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Seconds by which clocks may differ. */
export const CLOCK_TOLERANCE = 30;

/** Reads the address from the claims of a token that is authentic, valid now, and meant for us. */
export function addressIn(claims: Claims, provider: Provider): TokenResult {
  const address = claims[provider.address];
  // Any user may claim an address that the provider has not verified (OpenID Connect Core, section 5.1).
  const verified = claims["email_verified"];
  if (provider.address === "email" && (verified === false || verified === "false")) return UNFIT;
  if (provider.scope !== undefined && !scopes(claims).includes(provider.scope)) return UNFIT;
  if (typeof address !== "string" || address === "" || isAmbiguous(address)) return UNFIT;
  const { exp } = claims;
  return { kind: "valid", address, expires: typeof exp === "number" ? exp * 1000 : Infinity };
}

/** RFC 8693 section 4.2, a list, as some providers send it, or Microsoft's `scp`. */
function scopes({ scope, scp }: Claims): readonly unknown[] {
  return [scope, scp].flatMap((value) => (typeof value === "string" ? value.split(" ") : value));
}

/** True if lower case makes another address of it. A Kelvin sign, for example, becomes a plain k. */
function isAmbiguous(address: string): boolean {
  const folded = address.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return folded !== address.toLowerCase();
}
