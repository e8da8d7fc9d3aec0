/** What the hashes of crypt(3) that are made of digests have in common. */
import { type DigestName, digest } from "./digest.ts";

const DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * Crypt's own base64: three bytes to four digits, the lowest bits first.
 *
 * @param order which byte goes where, since each hash shuffles them in its own way
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

/** Digests password, salt and the last digest over and over, in an order that changes each time. */
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

/** A length's bits, the lowest first, as these hashes use it; none for zero. */
export function bitsOf(length: number): boolean[] {
  const count = 32 - Math.clz32(length);
  return Array.from({ length: count }, (_, bit) => ((length >> bit) & 1) === 1);
}

/** So many bytes of a text that goes on and on. */
export function repeated(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => bytes[index % bytes.length] ?? 0);
}
