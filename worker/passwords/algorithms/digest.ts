/** Synchronous hash functions. SHA-CRYPT calls them thousands of times, and promises would slow it down. */
import { createHash, timingSafeEqual } from "node:crypto";

export type DigestName = "md5" | "sha1" | "sha256" | "sha512";

export const DIGEST_BYTES: Record<DigestName, number> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha512: 64,
};

/** Digests the concatenation of the parts. */
export function digest(name: DigestName, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(name);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Compares two secrets in a time that depends only on their lengths. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Compares two ASCII texts likewise. */
export function sameText(one: string, other: string): boolean {
  return same(bytesOf(one), bytesOf(other));
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
