/** PBKDF2 (RFC 8018) as Dovecot stores it: `$1$salt$rounds$hex`, with the salt as plain text. */
import { pbkdf2Sync } from "node:crypto";
import { MAX_PBKDF2_ITERATIONS } from "./limits.ts";
import { bytesOf, same } from "../algorithms/digest.ts";
import { decode, textOf } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

/** Dovecot uses SHA-1, and the whole hash. */
const FORM = /^\$1\$([^$]*)\$([1-9]\d{0,8})\$([\da-f]{40})$/i;

/** The scheme has no `form`, since without its name it looks like MD5-CRYPT. */
export const pbkdf2: PasswordScheme = {
  names: ["PBKDF2"],
  read(stored) {
    const [, salt, rounds, hex] = FORM.exec(textOf(stored)) ?? [];
    if (salt === undefined || hex === undefined) throw new UnreadableHash("it is malformed");
    const iterations = checkedIterations(Number(rounds));
    const key = decode(hex, "hex");
    return {
      work: { kind: "pbkdf2-sha1", units: iterations },
      matches: (password) =>
        same(pbkdf2Sync(password, bytesOf(salt), iterations, key.length, "sha1"), key),
    };
  },
};

/** @throws UnreadableHash */
export function checkedIterations(iterations: number): number {
  if (iterations > MAX_PBKDF2_ITERATIONS) {
    throw new UnreadableHash(`it has more than ${MAX_PBKDF2_ITERATIONS} iterations`);
  }
  return iterations;
}
