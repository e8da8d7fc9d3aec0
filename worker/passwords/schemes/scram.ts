/**
 * SCRAM keys (RFC 5802, section 3) as Dovecot stores them: `iterations,salt,StoredKey,ServerKey`. A password is
 * verified by deriving the keys from it without SASLprep, as in Dovecot.
 */
import { createHmac, pbkdf2Sync } from "node:crypto";
import { DIGEST_BYTES, digest, same } from "../algorithms/digest.ts";
import { decode, textOf } from "./encoding.ts";
import { checkedIterations } from "./pbkdf2.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

const FORM = /^([1-9]\d{0,8}),([^,]+),([^,]+),([^,]+)$/;

export const scramSha256 = scram("SCRAM-SHA-256", "sha256");
export const scramSha1 = scram("SCRAM-SHA-1", "sha1");

function scram(name: string, hash: "sha256" | "sha1"): PasswordScheme {
  const size = DIGEST_BYTES[hash];
  return {
    names: [name],
    read(stored) {
      const [, count, ...fields] = FORM.exec(textOf(stored)) ?? [];
      const [salt, storedKey, serverKey] = fields.map((field) => decode(field, "b64"));
      if (salt === undefined || storedKey?.length !== size || serverKey?.length !== size) {
        throw new UnreadableHash("it is malformed");
      }
      const iterations = checkedIterations(Number(count));
      return {
        work: { kind: `pbkdf2-${hash}`, units: iterations },
        matches(password) {
          const salted = pbkdf2Sync(password, salt, iterations, size, hash);
          const clientKey = createHmac(hash, salted).update("Client Key").digest();
          return same(digest(hash, clientKey), storedKey);
        },
      };
    },
  };
}
