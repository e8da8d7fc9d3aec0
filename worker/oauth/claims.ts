/** What a provider says of a token, whichever way it says it. */
import { type Finding, UNFIT } from "./token-result.ts";
import type { Provider } from "./providers.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Clocks differ, seconds. */
export const CLOCK_TOLERANCE = 30;

/** The address in the claims of a token that is authentic, in force, and meant for us. */
export function addressIn(claims: Claims, provider: Provider): Finding {
  const address = claims[provider.address];
  // An address that its provider has not verified is anybody's claim (OpenID Connect Core, section 5.1).
  const verified = claims["email_verified"];
  if (provider.address === "email" && (verified === false || verified === "false")) return UNFIT;
  if (provider.scope !== undefined && !scopes(claims).includes(provider.scope)) return UNFIT;
  if (typeof address !== "string" || address === "" || isAmbiguous(address)) return UNFIT;
  const { exp } = claims;
  return { kind: "valid", address, expires: typeof exp === "number" ? exp * 1000 : Infinity };
}

/** RFC 8693 section 4.2; a list, as some providers have it; or Microsoft's `scp`. */
function scopes({ scope, scp }: Claims): readonly unknown[] {
  return [scope, scp].flatMap((value) => (typeof value === "string" ? value.split(" ") : value));
}

/** Whether the address becomes another's in lower case: a Kelvin sign, for one, becomes a plain k. */
function isAmbiguous(address: string): boolean {
  const folded = address.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return folded !== address.toLowerCase();
}
