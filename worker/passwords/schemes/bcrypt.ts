/**
 * Bcrypt, crypt(3)'s `$2…$`.
 *
 * The four variants differ in old bugs alone. `$2x$` stands for one, which is computed as it was; `$2a$`
 * is OpenBSD's, to which crypt(3) of Linux adds a precaution for some passwords with a byte 0xFF.
 *
 * Our own: npm's `bcryptjs` takes strings alone, and so can never verify a password that is no UTF-8,
 * which old mail programs send; the packages that take bytes do not load in Workers.
 */
import { BCRYPT_COST } from "./limits.ts";
import { bcryptWords } from "../algorithms/blowfish.ts";
import { sameText } from "../algorithms/digest.ts";
import { textOf } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

const FORM = /^\$2([abxy])\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;

const DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The words of a password that count: 72 bytes. */
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
    if (cost > BCRYPT_COST) throw new UnreadableHash(`its cost is more than ${BCRYPT_COST}`);
    const saltWords = wordsOf(decode64(salt, SALT_BYTES), SALT_BYTES / 4, false);
    return {
      matches(password) {
        const key = wordsOf(Uint8Array.of(...password, 0), KEY_WORDS, variant === "x");
        const words = bcryptWords(key, saltWords, cost);
        return sameText(encode64(bytesOf(words).subarray(0, HASH_BYTES)), hash);
      },
    };
  },
};

/**
 * So many words of the bytes, which go on and on, the highest byte first.
 *
 * @param signed with the bug that `$2x$` stands for: a byte above 127 sets all the bits before it
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

/** Base64 with digits of bcrypt's own. The bits that are left over at the end are not looked at. */
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
