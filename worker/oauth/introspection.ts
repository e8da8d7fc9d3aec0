/** Verifies opaque tokens by asking their provider (RFC 7662). */
import { addressIn, CLOCK_TOLERANCE, type Claims } from "./claims.ts";
import { type TokenResult, FORGED, UNFIT } from "./token-result.ts";
import type { IntrospectingProvider } from "./providers.ts";

/** ms that a login waits for the provider. */
const TIMEOUT = 3000;

export async function introspect(
  token: string,
  provider: IntrospectingProvider,
): Promise<TokenResult> {
  let claims: unknown;
  try {
    claims = await ask(token, provider);
  } catch (error) {
    // The message of another error may quote the request.
    const why = error instanceof IntrospectionError ? error.message : "it does not answer";
    return {
      kind: "unavailable",
      reason: `${provider.introspection} cannot verify a token: ${why}`,
    };
  }
  return isClaims(claims) ? checkClaims(claims, provider) : unreadable(provider);
}

class IntrospectionError extends Error {
  override name = "IntrospectionError";
}

/** @throws Error if the provider does not answer */
async function ask(token: string, provider: IntrospectingProvider): Promise<unknown> {
  const response = await fetch(provider.introspection, {
    method: "POST",
    headers: { Authorization: basic(provider), Accept: "application/json" },
    body: new URLSearchParams({ token, token_type_hint: "access_token" }),
    // The token must not go to another server.
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new IntrospectionError(`it answers ${response.status}`);
  }
  return response.json();
}

function basic({ client, secret }: IntrospectingProvider): string {
  return `Basic ${btoa(`${formEncoded(client)}:${formEncoded(secret)}`)}`;
}

/** RFC 6749 section 2.3.1 requires this encoding of both. */
function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

function isClaims(value: unknown): value is Claims & { readonly active: boolean } {
  return (
    typeof value === "object" &&
    value !== null &&
    "active" in value &&
    typeof value.active === "boolean"
  );
}

function unreadable({ introspection }: IntrospectingProvider): TokenResult {
  return { kind: "unavailable", reason: `${introspection} does not answer as RFC 7662 requires` };
}

/** Providers do not say whether an inactive token has expired or never existed. */
function checkClaims(claims: Claims, provider: IntrospectingProvider): TokenResult {
  if (claims["active"] !== true) return FORGED;
  const { iss, aud, exp, nbf, token_type: type } = claims;
  if (provider.issuer !== undefined && iss !== undefined && iss !== provider.issuer) return FORGED;
  const accepted = [provider.audience].flat();
  if (![aud].flat().some((each) => typeof each === "string" && accepted.includes(each))) {
    return FORGED;
  }
  // Some providers call a refresh token active too. RFC 6749 section 7.1: the type's case does not matter.
  if (type !== undefined && !isBearer(type)) return FORGED;
  const now = Date.now() / 1000;
  if (typeof exp === "number" && exp + CLOCK_TOLERANCE <= now) return UNFIT;
  if (typeof nbf === "number" && nbf - CLOCK_TOLERANCE > now) return UNFIT;
  return addressIn(claims, provider);
}

function isBearer(type: unknown): boolean {
  return typeof type === "string" && type.toLowerCase() === "bearer";
}
