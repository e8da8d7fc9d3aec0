import { argon2i, argon2id } from "./argon2id.ts";
import { bcrypt } from "./bcrypt.ts";
import { desCrypt } from "./des-crypt.ts";
import { md5Crypt } from "./md5-crypt.ts";
import { pbkdf2 } from "./pbkdf2.ts";
import { plain } from "./plain.ts";
import type { PasswordScheme } from "./scheme.ts";
import { scramSha1, scramSha256 } from "./scram.ts";
import { sha256Crypt, sha512Crypt } from "./sha-crypt.ts";
import { simpleDigests } from "./simple-digest.ts";

/** All schemes in which a password may be stored. */
export const SCHEMES: readonly PasswordScheme[] = [
  argon2id,
  argon2i,
  bcrypt,
  sha512Crypt,
  sha256Crypt,
  pbkdf2,
  scramSha256,
  scramSha1,
  ...simpleDigests,
  md5Crypt,
  desCrypt,
  plain,
];

/** The schemes that are allowed by default. */
export const STRONG_SCHEMES = allowedSchemes();

/**
 * Lists the allowed schemes: those that are not weak, and the weak ones that the operator names.
 *
 * @param weak names of weak schemes, separated by commas or spaces: `PLAIN, MD5-CRYPT`
 */
export function allowedSchemes(weak = ""): readonly PasswordScheme[] {
  const wanted = new Set(weak.toUpperCase().split(/[\s,]+/));
  return SCHEMES.filter((scheme) => !scheme.weak || scheme.names.some((name) => wanted.has(name)));
}
