/** Passwords in plain text. An import may bring them, and the first login replaces them. */
import { bytesOf, digest, same } from "../algorithms/digest.ts";
import { decode } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

export const plain: PasswordScheme = {
  names: ["PLAIN", "CLEARTEXT", "CLEAR"],
  weak: true,
  read({ text, encoding }) {
    const stored = encoding === null ? bytesOf(text) : decode(text, encoding);
    if (stored.length === 0) throw new UnreadableHash("it is empty");
    // Digests have one length, so the time does not reveal the password's.
    return { matches: (password) => same(digest("sha256", password), digest("sha256", stored)) };
  },
};
