/** APOP and CRAM-MD5: the client sends a digest of its password and of what it was challenged with. */
import { createHash, createHmac } from "node:crypto";
import type { Entry } from "../../directory/users.ts";
import { logWarningOnce } from "../../log.ts";
import { bytesOf, same } from "../../passwords/algorithms/digest.ts";
import type { SealingKeys } from "../../secrets/index.ts";
import type { LookupRequest } from "../parse.ts";
import { isEnabled, type Method, NOT_ENABLED, refuseAll, type Verified, WRONG } from "./method.ts";

/** In hex. */
type Digest = (password: Uint8Array, salt: string) => string;

/** RFC 1939 section 7. */
export const apop = digestMethod((password, salt) =>
  createHash("md5").update(salt).update(password).digest("hex"),
);

/** RFC 2195 section 2. */
export const cramMd5 = digestMethod((password, salt) =>
  createHmac("md5", password).update(salt).digest("hex"),
);

function digestMethod(digest: Digest): Method {
  return (request, resources) => {
    const keys = resources.keys();
    if (keys === null) {
      logWarningOnce("APOP and CRAM-MD5 are refused: set SECRET_KEYS");
      return refuseAll(request);
    }
    return { login: request.login, verify: (entry) => verify(request, entry, keys, digest) };
  };
}

async function verify(
  request: LookupRequest,
  entry: Entry | null,
  keys: SealingKeys,
  digest: Digest,
): Promise<Verified> {
  // Counting neither as a guess tells nobody who is a user.
  if (entry === null || entry.ownSecret === null) return NOT_ENABLED;
  const password = await keys.open(entry.ownSecret, { user: entry.user.address, purpose: "own" });
  const right = bytesOf(digest(bytesOf(password), request.salt));
  if (!same(right, request.proof)) return WRONG;
  return isEnabled(entry, request) ? { kind: "proved", entry } : NOT_ENABLED;
}
