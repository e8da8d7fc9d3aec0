/**
 * MD5-CRYPT, crypt(3)'s `$1$` by Poul-Henning Kamp, and Apache's `$apr1$`, which differs only in that name. npm's
 * `apache-md5` does not serve, since it does not accept bytes.
 */
import { bitsOf, crypt64, repeated, stir } from "../algorithms/crypt.ts";
import { bytesOf, digest, sameText } from "../algorithms/digest.ts";
import { textOf } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

const ROUNDS = 1_000;

/** The text after another dollar sign is ignored, as in Dovecot. */
const FORM = /^(\$(?:1|apr1)\$)([!-#%-~]{0,8})\$([./0-9A-Za-z]{22})(?:\$.*)?$/;

const ORDER = [[12, 6, 0], [13, 7, 1], [14, 8, 2], [15, 9, 3], [5, 10, 4], [11]];

export const md5Crypt: PasswordScheme = {
  names: ["MD5-CRYPT", "MD5"],
  weak: true,
  form: /^\$(?:1|apr1)\$/,
  read(stored) {
    const [, magic, salt, hash] = FORM.exec(textOf(stored)) ?? [];
    if (magic === undefined || salt === undefined || hash === undefined) {
      throw new UnreadableHash("it is malformed");
    }
    return {
      work: { kind: "md5-crypt", units: ROUNDS },
      matches: (password) => sameText(compute(password, bytesOf(magic), bytesOf(salt)), hash),
    };
  },
};

function compute(password: Uint8Array, magic: Uint8Array, salt: Uint8Array): string {
  const inner = digest("md5", password, salt, password);
  const start = digest(
    "md5",
    password,
    magic,
    salt,
    repeated(inner, password.length),
    // A one adds a NUL, as the first implementation did.
    Uint8Array.from(bitsOf(password.length), (bit) => (bit ? 0 : (password[0] ?? 0))),
  );
  return crypt64(stir("md5", start, password, salt, ROUNDS), ORDER);
}
