/** The common parts of MD5-CRYPT and SHA-CRYPT. */
import { type DigestName, digest } from "./digest.ts";

const DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * Encodes bytes in crypt(3)'s base64: three bytes make four digits, with the lowest bits first.
 *
 * @param order the indexes of the bytes in each group, since each hash has its own order
 */
export function crypt64(bytes: Uint8Array, order: readonly (readonly number[])[]): string {
  return order
    .flatMap((group) => {
      const value = group.reduce(
        (sum, from, index) => sum | ((bytes[from] ?? 0) << (8 * index)),
        0,
      );
      const digits = Math.ceil((group.length * 8) / 6);
      return Array.from({ length: digits }, (_, digit) => DIGITS[(value >> (6 * digit)) & 63]);
    })
    .join("");
}

/** Repeatedly digests the password, the salt and the last digest. The order changes with each round. */
export function stir(
  name: DigestName,
  start: Uint8Array,
  password: Uint8Array,
  salt: Uint8Array,
  rounds: number,
): Uint8Array {
  let last = start;
  for (let round = 0; round < rounds; round += 1) {
    const parts = [round % 2 === 0 ? last : password];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(password);
    parts.push(round % 2 === 0 ? password : last);
    last = digest(name, ...parts);
  }
  return last;
}

/** The bits of a length, the lowest first; none for zero. */
export function bitsOf(length: number): boolean[] {
  const count = 32 - Math.clz32(length);
  return Array.from({ length: count }, (_, bit) => ((length >> bit) & 1) === 1);
}

/** Repeats bytes up to a length. */
export function repeated(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => bytes[index % bytes.length] ?? 0);
}
