/** Tokens that are signed: JWTs (RFC 7519), checked with the keys that their issuer publishes. */
import {
  createRemoteJWKSet,
  decodeJwt,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { addressIn, CLOCK_TOLERANCE, type Claims } from "./claims.ts";
import { type Finding, FORGED, UNFIT } from "./token-result.ts";
import type { SigningProvider } from "./providers.ts";

/** Asymmetric ones only: with a shared secret the issuer's public key could be taken for one. */
// prettier-ignore
const ALGORITHMS = [
  "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
];

/** How long a login waits for an issuer's keys, ms. */
const PATIENCE = 3000;

/** The keys cannot be had. */
class KeysUnavailable extends Error {
  override name = "KeysUnavailable";
}

/** The issuer that a token names, which it may have no right to; null where it is no JWT. */
export function issuerOf(token: string): string | null {
  try {
    return decodeJwt(token).iss ?? null;
  } catch {
    return null;
  }
}

/** @returns what checks tokens of this provider; its keys are kept for ten minutes */
export function jwtVerifier(provider: SigningProvider): (token: string) => Promise<Finding> {
  const { issuer, audience, address } = provider;
  const published = createRemoteJWKSet(new URL(provider.jwks), { timeoutDuration: PATIENCE });
  const keyFor = async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    try {
      return await published(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) throw error;
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new KeysUnavailable(`the keys of ${issuer} cannot be had: ${String(error)}`);
    }
  };
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    requiredClaims: ["exp", address],
    clockTolerance: CLOCK_TOLERANCE,
  };

  return async (token) => {
    try {
      return addressIn(await verify(token, keyFor, options), provider);
    } catch (error) {
      return judge(error);
    }
  };
}

/** A token need not name its key; then each that may be meant is tried. */
async function verify(
  token: string,
  keyFor: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<Claims> {
  try {
    return (await jwtVerify(token, keyFor, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (mismatch) {
        if (!(mismatch instanceof errors.JWSSignatureVerificationFailed)) throw mismatch;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function judge(error: unknown): Finding {
  if (error instanceof KeysUnavailable) return { kind: "unavailable", reason: error.message };
  // Of what makes a token invalid, its signature is looked at first, its time last.
  if (error instanceof errors.JWTExpired || isEarly(error)) return UNFIT;
  if (error instanceof errors.JOSEError) return FORGED;
  throw error;
}

function isEarly(error: unknown): boolean {
  return (
    error instanceof errors.JWTClaimValidationFailed &&
    error.claim === "nbf" &&
    error.reason === "check_failed"
  );
}
