/**
 * A single digest of the password: with a salt, as in RFC 2307's `{SSHA}` (the digest of password and salt, then the
 * salt), or without one.
 */
import { DIGEST_BYTES, type DigestName, digest, same } from "../algorithms/digest.ts";
import { decode } from "./encoding.ts";
import { type Encoding, type PasswordScheme, type StoredText, UnreadableHash } from "./scheme.ts";

export const simpleDigests: readonly PasswordScheme[] = [
  salted("sha512", "SSHA512"),
  salted("sha256", "SSHA256"),
  salted("sha1", "SSHA"),
  unsalted("sha512", "SHA512"),
  unsalted("sha256", "SHA256"),
  unsalted("sha1", "SHA", "SHA1"),
  { ...salted("md5", "SMD5"), weak: true },
  { ...unsalted("md5", "PLAIN-MD5", "LDAP-MD5", "MD5"), weak: true },
];

function salted(name: DigestName, ...names: PasswordScheme["names"]): PasswordScheme {
  const size = DIGEST_BYTES[name];
  return {
    names,
    read({ text, encoding }) {
      const bytes = decode(text, encoding ?? "b64");
      if (bytes.length < size) throw new UnreadableHash("it is too short");
      const stored = bytes.subarray(0, size);
      const salt = bytes.subarray(size);
      return { matches: (password) => same(digest(name, password, salt), stored) };
    },
  };
}

function unsalted(name: DigestName, ...names: PasswordScheme["names"]): PasswordScheme {
  const size = DIGEST_BYTES[name];
  return {
    names,
    read(text) {
      const stored = decode(text.text, text.encoding ?? inferEncoding(text, size));
      if (stored.length !== size) throw new UnreadableHash(`it does not have ${size} bytes`);
      return { matches: (password) => same(digest(name, password), stored) };
    },
  };
}

/** Dovecot infers the encoding from the length. */
function inferEncoding({ text }: StoredText, size: number): Encoding {
  return text.length === 2 * size ? "hex" : "b64";
}
