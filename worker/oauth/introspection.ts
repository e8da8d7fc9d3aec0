/** Tokens that only their provider can read: it is asked (RFC 7662). */
import { addressIn, CLOCK_TOLERANCE, type Claims } from "./claims.ts";
import { type Finding, FORGED, UNFIT } from "./token-result.ts";
import type { IntrospectingProvider } from "./providers.ts";

/** How long a login waits for the answer, ms. */
const PATIENCE = 3000;

/** Asks a provider about a token. */
export async function introspect(token: string, provider: IntrospectingProvider): Promise<Finding> {
  let claims: unknown;
  try {
    claims = await ask(token, provider);
  } catch (error) {
    // Names the provider, and is told in our own words: a fetch's error may quote what was sent.
    const why = error instanceof Unanswered ? error.message : "it does not answer";
    return { kind: "unavailable", reason: `${provider.introspection} cannot be asked: ${why}` };
  }
  return isClaims(claims) ? judge(claims, provider) : unreadable(provider);
}

class Unanswered extends Error {
  override name = "Unanswered";
}

/** @throws Error if there is no answer to be had */
async function ask(token: string, provider: IntrospectingProvider): Promise<unknown> {
  const response = await fetch(provider.introspection, {
    method: "POST",
    headers: { Authorization: basic(provider), Accept: "application/json" },
    body: new URLSearchParams({ token, token_type_hint: "access_token" }),
    // The token is for nobody else.
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Unanswered(`it answers ${response.status}`);
  }
  return response.json();
}

function basic({ client, secret }: IntrospectingProvider): string {
  return `Basic ${btoa(`${formEncoded(client)}:${formEncoded(secret)}`)}`;
}

/** RFC 6749 section 2.3.1 wants both so. */
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

function unreadable({ introspection }: IntrospectingProvider): Finding {
  return { kind: "unavailable", reason: `${introspection} does not answer as RFC 7662 has it` };
}

/** An inactive token may have expired, or never been: nobody is told which. */
function judge(claims: Claims, provider: IntrospectingProvider): Finding {
  if (claims["active"] !== true) return FORGED;
  const { iss, aud, exp, nbf } = claims;
  if (provider.issuer !== undefined && iss !== undefined && iss !== provider.issuer) return FORGED;
  if (provider.audience !== undefined) {
    const meant = [provider.audience].flat();
    if (![aud].flat().some((each) => typeof each === "string" && meant.includes(each))) {
      return FORGED;
    }
  }
  const now = Date.now() / 1000;
  if (typeof exp === "number" && exp + CLOCK_TOLERANCE <= now) return UNFIT;
  if (typeof nbf === "number" && nbf - CLOCK_TOLERANCE > now) return UNFIT;
  return addressIn(claims, provider);
}
