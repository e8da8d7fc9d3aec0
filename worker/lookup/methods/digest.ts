/** APOP and CRAM-MD5: the client sends a digest of a challenge and its password. */
import { createHash, createHmac } from "node:crypto";
import type { UserEntry } from "../../directory/users.ts";
import { logWarningOnce } from "../../log/log.ts";
import { bytesOf, same } from "../../passwords/algorithms/digest.ts";
import type { SealingKeys } from "../../secrets/index.ts";
import { NOT_ENABLED, type MethodVerdict, WRONG_CREDENTIALS } from "./verdict.ts";
import { isEnabled, type ParsedCredentials, refuseAll, type VerifierFactory } from "./verifier.ts";

/** Returns hex. */
type ChallengeDigest = (password: Uint8Array, challenge: string) => string;

/** RFC 1939 section 7. */
export const apop = digestMethod((password, challenge) =>
  createHash("md5").update(challenge).update(password).digest("hex"),
);

/** RFC 2195 section 2. */
export const cramMd5 = digestMethod((password, challenge) =>
  createHmac("md5", password).update(challenge).digest("hex"),
);

function digestMethod(digest: ChallengeDigest): VerifierFactory {
  return (credentials, context) => {
    const keys = context.keys();
    if (keys === null) {
      logWarningOnce("APOP and CRAM-MD5 are refused: set SECRET_KEYS");
      return refuseAll(credentials);
    }
    const { login } = credentials;
    return { login, verify: (entry) => verify(credentials, entry, keys, digest) };
  };
}

/**
 * A user without a sealed password, and an unknown user, fail like a user with one: after the same work, since a dummy
 * is opened, and counted like them, since waits and blocks would otherwise tell who has a sealed password.
 */
async function verify(
  credentials: ParsedCredentials,
  entry: UserEntry | null,
  keys: SealingKeys,
  digest: ChallengeDigest,
): Promise<MethodVerdict> {
  const own = entry?.ownSecret ?? null;
  const password =
    entry === null || own === null
      ? await keys.openDummy()
      : await keys.open(own, { user: entry.user.address, purpose: "own" });
  const expected = bytesOf(digest(bytesOf(password), credentials.salt));
  const right = same(expected, credentials.proof);
  // Nothing matches the dummy, even a digest of it.
  if (!right || entry === null || own === null) return WRONG_CREDENTIALS;
  return isEnabled(entry, credentials) ? { kind: "verified", entry } : NOT_ENABLED;
}
