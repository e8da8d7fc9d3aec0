/** Verifies JWTs (RFC 7519) with the keys that their issuer publishes. */
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
import { logWarningOnce } from "../log/log.ts";
import { addressIn, CLOCK_TOLERANCE, type Claims } from "./claims.ts";
import { type TokenResult, FORGED, UNFIT } from "./token-result.ts";
import type { SigningProvider } from "./providers.ts";

/** ms that a login waits for an issuer's keys. */
const TIMEOUT = 3000;

class KeysUnavailable extends Error {
  override name = "KeysUnavailable";
}

/** Reads the issuer from a token without verifying it; null if the token is not a JWT. */
export function issuerOf(token: string): string | null {
  try {
    return decodeJwt(token).iss ?? null;
  } catch {
    return null;
  }
}

/** Makes a function that verifies a provider's tokens. The provider's keys are cached for ten minutes. */
export function jwtVerifier(provider: SigningProvider): (token: string) => Promise<TokenResult> {
  const { issuer, audience, address, typ, algorithms } = provider;
  const published = createRemoteJWKSet(new URL(provider.jwks), { timeoutDuration: TIMEOUT });
  const keyFor = async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    try {
      return await published(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) throw error;
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new KeysUnavailable(`the keys of ${issuer} cannot be fetched: ${String(error)}`);
    }
  };
  const options = {
    issuer,
    audience,
    typ,
    algorithms,
    requiredClaims: ["exp", address],
    clockTolerance: CLOCK_TOLERANCE,
  };

  return async (token) => {
    try {
      return addressIn(await verify(token, keyFor, options), provider);
    } catch (error) {
      if (isOfOtherType(error)) {
        logWarningOnce(
          `a token of ${issuer} is refused: its type is not ${typ}, as OAUTH_PROVIDERS says`,
        );
      }
      return resultOf(error);
    }
  };
}

/** A token may omit the name of its key. Then each key that fits is tried. */
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

function resultOf(error: unknown): TokenResult {
  if (error instanceof KeysUnavailable) return { kind: "unavailable", reason: error.message };
  // jose checks the signature first and the time last, so such a token is authentic.
  if (error instanceof errors.JWTExpired || isEarly(error) || isOfOtherType(error)) return UNFIT;
  if (error instanceof errors.JOSEError) return FORGED;
  throw error;
}

/** An ID token, for example. */
function isOfOtherType(error: unknown): boolean {
  return error instanceof errors.JWTClaimValidationFailed && error.claim === "typ";
}

function isEarly(error: unknown): boolean {
  return (
    error instanceof errors.JWTClaimValidationFailed &&
    error.claim === "nbf" &&
    error.reason === "check_failed"
  );
}
