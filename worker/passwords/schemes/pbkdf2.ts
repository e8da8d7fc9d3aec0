/** PBKDF2 (RFC 8018) as Dovecot stores it: `$1$salt$rounds$hex`, the salt as the text that it is. */
import { pbkdf2Sync } from "node:crypto";
import { PBKDF2_ITERATIONS } from "./limits.ts";
import { bytesOf, same } from "../algorithms/digest.ts";
import { decode, textOf } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

/** Of SHA-1, the one that Dovecot has; its hash is never cut. */
const FORM = /^\$1\$([^$]*)\$([1-9]\d{0,8})\$([\da-f]{40})$/i;

/** Known by its name alone: bare, it would look like MD5-CRYPT. */
export const pbkdf2: PasswordScheme = {
  names: ["PBKDF2"],
  read(stored) {
    const [, salt, rounds, hex] = FORM.exec(textOf(stored)) ?? [];
    if (salt === undefined || hex === undefined) throw new UnreadableHash("it is malformed");
    const iterations = bearable(Number(rounds));
    const key = decode(hex, "hex");
    return {
      matches: (password) =>
        same(pbkdf2Sync(password, bytesOf(salt), iterations, key.length, "sha1"), key),
    };
  },
};

/** @throws UnreadableHash */
export function bearable(iterations: number): number {
  if (iterations > PBKDF2_ITERATIONS) {
    throw new UnreadableHash(`it has more than ${PBKDF2_ITERATIONS} iterations`);
  }
  return iterations;
}
