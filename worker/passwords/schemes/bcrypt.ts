/**
 * Bcrypt, crypt(3)'s `$2…$`.
 *
 * The four variants differ only in old bugs. `$2x$` marks hashes with such a bug, which this file reproduces. `$2a$`
 * is OpenBSD's, without the precaution of Linux's crypt(3) for some passwords with a byte 0xFF.
 *
 * No package serves: npm's `bcryptjs` accepts only strings, so it cannot verify a password that is not UTF-8, which
 * old mail programs send. The packages that accept bytes do not load in Workers.
 */
import { MAX_BCRYPT_COST } from "./limits.ts";
import { bcryptWords } from "../algorithms/blowfish.ts";
import { sameText } from "../algorithms/digest.ts";
import { textOf } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

const FORM = /^\$2([abxy])\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;

const DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** bcrypt uses 72 bytes of a password. */
const KEY_WORDS = 18;
const HASH_BYTES = 23;
const SALT_BYTES = 16;

export const bcrypt: PasswordScheme = {
  names: ["BLF-CRYPT"],
  form: /^\$2[abxy]\$/,
  read(stored) {
    const [, variant, given, salt, hash] = FORM.exec(textOf(stored)) ?? [];
    if (salt === undefined || hash === undefined) throw new UnreadableHash("it is malformed");
    const cost = Number(given);
    if (cost < 4) throw new UnreadableHash("it is malformed");
    if (cost > MAX_BCRYPT_COST)
      throw new UnreadableHash(`its cost is more than ${MAX_BCRYPT_COST}`);
    const saltWords = wordsOf(decode64(salt, SALT_BYTES), SALT_BYTES / 4, false);
    const rounds = 2 ** cost;
    return {
      work: { kind: "bcrypt", units: rounds },
      matches(password) {
        const key = wordsOf(Uint8Array.of(...password, 0), KEY_WORDS, variant === "x");
        const words = bcryptWords(key, saltWords, rounds);
        return sameText(encode64(bytesOf(words).subarray(0, HASH_BYTES)), hash);
      },
    };
  },
};

/**
 * Repeats bytes and reads them as big-endian words.
 *
 * @param signed reproduces the bug of `$2x$`: a byte above 127 sets all the bits before it
 */
function wordsOf(bytes: Uint8Array, count: number, signed: boolean): Int32Array {
  const word = (first: number): number =>
    [0, 1, 2, 3].reduce((value, offset) => {
      const byte = bytes[(first + offset) % bytes.length] ?? 0;
      return (value << 8) | (signed ? (byte << 24) >> 24 : byte);
    }, 0);
  return Int32Array.from({ length: count }, (_, index) => word(4 * index));
}

function bytesOf(words: Int32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  for (const [index, word] of words.entries()) view.setInt32(4 * index, word);
  return new Uint8Array(view.buffer);
}

/** Decodes base64 with bcrypt's digits. The surplus bits at the end are ignored. */
function decode64(text: string, size: number): Uint8Array {
  const sextets = Array.from(text, (digit) => DIGITS.indexOf(digit));
  const bits = sextets.map((sextet) => sextet.toString(2).padStart(6, "0")).join("");
  return Uint8Array.from({ length: size }, (_, index) =>
    Number.parseInt(bits.slice(8 * index, 8 * index + 8), 2),
  );
}

function encode64(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,6}/g) ?? [];
  return groups.map((group) => DIGITS[Number.parseInt(group.padEnd(6, "0"), 2)]).join("");
}
