/**
 * Blowfish with the expensive key schedule of bcrypt (Provos and Mazières, "A Future-Adaptable Password
 * Scheme", 1999, section 3).
 */

/* oxlint-disable typescript/no-non-null-assertion -- indexes are in range by how they are made, and this loop is hot */

const ROUNDS = 16;
const SUBKEYS = ROUNDS + 2;
const BOXES = 4 * 256;

/** "OrpheanBeholderScryDoubt", which bcrypt encrypts. */
const TEXT = [0x4f727068, 0x65616e42, 0x65686f6c, 0x64657253, 0x63727944, 0x6f756274];

/**
 * @param key 18 words
 * @param salt 4 words
 * @param rounds 2 to the power of the cost, for a hash
 * @returns 6 words
 */
export function bcryptWords(key: Int32Array, salt: Int32Array, rounds: number): Int32Array {
  const cipher = new Blowfish();
  cipher.expand(key, salt);
  for (let round = rounds; round > 0; round -= 1) {
    cipher.expand(key);
    cipher.expand(salt);
  }
  const text = Int32Array.from(TEXT);
  for (let index = 0; index < text.length; index += 2) {
    for (let times = 0; times < 64; times += 1) cipher.encipher(text, index);
  }
  return text;
}

/** Without a salt, the key expansion enciphers its block unchanged. */
const NO_SALT = new Int32Array(4);

class Blowfish {
  readonly #subkeys: Int32Array;
  readonly #boxes: Int32Array;

  constructor() {
    const words = fractionOfPi();
    this.#subkeys = words.slice(0, SUBKEYS);
    this.#boxes = words.slice(SUBKEYS);
  }

  /** Enciphers the two words at `at` in place. */
  encipher(words: Int32Array, at: number): void {
    const p = this.#subkeys;
    const s = this.#boxes;
    let left = words[at]! ^ p[0]!;
    let right = words[at + 1]!;
    for (let round = 1; round <= ROUNDS; round += 2) {
      right ^=
        (((s[left >>> 24]! + s[256 + ((left >>> 16) & 255)]!) ^ s[512 + ((left >>> 8) & 255)]!) +
          s[768 + (left & 255)]!) ^
        p[round]!;
      left ^=
        (((s[right >>> 24]! + s[256 + ((right >>> 16) & 255)]!) ^ s[512 + ((right >>> 8) & 255)]!) +
          s[768 + (right & 255)]!) ^
        p[round + 1]!;
    }
    words[at] = right ^ p[ROUNDS + 1]!;
    words[at + 1] = left;
  }

  /** Mixes a key into the subkeys, and replaces all subkeys and boxes by enciphered blocks. */
  expand(key: Int32Array, salt: Int32Array = NO_SALT): void {
    const p = this.#subkeys;
    for (let index = 0; index < SUBKEYS; index += 1) p[index]! ^= key[index % key.length]!;
    const block = new Int32Array(2);
    let from = 0;
    for (const table of [p, this.#boxes]) {
      for (let index = 0; index < table.length; index += 2) {
        block[0]! ^= salt[from]!;
        block[1]! ^= salt[from + 1]!;
        from ^= 2;
        this.encipher(block, 0);
        table[index] = block[0]!;
        table[index + 1] = block[1]!;
      }
    }
  }
}

let pi: Int32Array | undefined;

/**
 * Computes the binary fraction of pi, Blowfish's initial state, by Machin's formula: pi = 16 arccot 5 −
 * 4 arccot 239. It takes some 50 ms, once in an isolate.
 */
function fractionOfPi(): Int32Array {
  pi ??= wordsOf(((16n * arccot(5n) - 4n * arccot(239n)) >> GUARD) & (2n ** FRACTION - 1n));
  return pi;
}

const FRACTION = BigInt(32 * (SUBKEYS + BOXES));
/** Bits at the end that the series may get wrong. */
const GUARD = 32n;

/** 1/x − 1/3x³ + 1/5x⁵ − …, in fixed point. */
function arccot(x: bigint): bigint {
  let power = 2n ** (FRACTION + GUARD) / x;
  let sum = 0n;
  for (let odd = 1n; power > 0n; odd += 4n) {
    sum += power / odd;
    power /= x * x;
    sum -= power / (odd + 2n);
    power /= x * x;
  }
  return sum;
}

function wordsOf(fraction: bigint): Int32Array {
  const hex = fraction.toString(16).padStart(8 * (SUBKEYS + BOXES), "0");
  return Int32Array.from(hex.match(/.{8}/g) ?? [], (word) => Number.parseInt(word, 16));
}
