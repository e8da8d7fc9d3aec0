// The right password against a stored hash of which one bit is another.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CHEAP_HASH, SCHEMES, UnreadableHash, readStored } from "../../support/worker/passwords.ts";
import { VECTORS } from "./vectors.ts";

interface Flipped {
  readonly stored: string;
  readonly password: Uint8Array;
}

/** The last vector of each scheme; argon2id in a cheaper form. */
const ONE_EACH: ReadonlyMap<string, Flipped> = new Map([
  ...VECTORS.map(({ scheme, stored, password }) => [scheme, { stored, password }] as const),
  ["ARGON2ID", { stored: CHEAP_HASH, password: Buffer.from("wonderland") }],
]);

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = UPPER.toLowerCase();
const HEX = "0123456789abcdef";
const BASE64 = `${UPPER}${LOWER}0123456789+/`;
const BCRYPT = `./${UPPER}${LOWER}0123456789`;
const CRYPT = `./0123456789${UPPER}${LOWER}`;

/** The digits of a scheme's hash, and the bit that counts in the last digit, whose others may be spare. */
const DIGITS: Readonly<Record<string, readonly [alphabet: string, last: number]>> = {
  "BLF-CRYPT": [BCRYPT, 32],
  "DES-CRYPT": [CRYPT, 32],
  // These write the least significant bits first.
  "SHA512-CRYPT": [CRYPT, 1],
  "SHA256-CRYPT": [CRYPT, 1],
  "MD5-CRYPT": [CRYPT, 1],
};

/** bcrypt's salt stands in front of its digest without a mark. */
const BCRYPT_DIGEST = 31;

/** The index at which the hash begins in the stored text. */
function start(scheme: string, stored: string): number {
  if (scheme === "BLF-CRYPT") return stored.length - BCRYPT_DIGEST;
  if (scheme === "DES-CRYPT") return stored.lastIndexOf("}") + 3;
  if (scheme.startsWith("SCRAM")) return stored.indexOf(",", stored.indexOf(",") + 1) + 1;
  return Math.max(stored.lastIndexOf("$"), stored.lastIndexOf("}")) + 1;
}

/** Behind the hash. The server's key of SCRAM only proves the server to a client, and no password is checked by it. */
function end(scheme: string, stored: string): number {
  return scheme.startsWith("SCRAM") ? stored.lastIndexOf(",") : stored.length;
}

function alphabetOf(scheme: string, digest: string): readonly [alphabet: string, last: number] {
  const own = DIGITS[scheme];
  if (own !== undefined) return own;
  return /^[\da-f]+$/.test(digest) ? [HEX, 1] : [BASE64, 32];
}

for (const [scheme, { stored, password }] of ONE_EACH) {
  test(`${scheme} refuses the right password where any digit of the hash has another bit`, (t) => {
    assert.equal(readStored(stored, SCHEMES).matches(password), true);
    const from = start(scheme, stored);
    const [alphabet, last] = alphabetOf(scheme, stored.slice(from));
    let flipped = 0;
    for (let at = from; at < end(scheme, stored); at++) {
      const value = alphabet.indexOf(stored[at] ?? "");
      // Padding.
      if (value === -1) continue;
      const digit = alphabet[value ^ last];
      const text = `${stored.slice(0, at)}${digit}${stored.slice(at + 1)}`;
      assert.equal(letsIn(text, password), false, `${text} for ${stored}`);
      flipped++;
    }
    t.diagnostic(`${flipped} digits`);
    assert.ok(flipped >= 11, `${flipped}`);
  });
}

function letsIn(stored: string, password: Uint8Array): boolean {
  try {
    return readStored(stored, SCHEMES).matches(password);
  } catch (error) {
    if (error instanceof UnreadableHash) return false;
    throw error;
  }
}

test("each scheme is among them", () => {
  assert.deepEqual(
    [...ONE_EACH.keys()].toSorted(),
    SCHEMES.map(({ names }) => names[0]).toSorted(),
  );
});
