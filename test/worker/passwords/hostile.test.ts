import { test } from "node:test";
import * as fc from "fast-check";
import { SCHEMES, UnreadableHash, readStored } from "../../support/worker/passwords.ts";
import { VECTORS } from "./vectors.ts";
import { inputs } from "../../support/property.ts";

/** Bytes as the worker accepts them: all but NUL. */
const password = fc.uint8Array({ min: 1, maxLength: 100 });

/** The significant bytes of a password, for schemes that ignore the others. */
const SIGNIFICANT: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  "BLF-CRYPT": (bytes) => bytes.subarray(0, 72),
  // DES-CRYPT ignores the high bit, so that 0x80 equals NUL.
  "DES-CRYPT": (bytes) => Uint8Array.from({ length: 8 }, (_, at) => (bytes[at] ?? 0) & 0x7f),
};

/** The cheapest vector of each scheme. */
const ONE_EACH = SCHEMES.map(({ names }) => VECTORS.findLast(({ scheme }) => scheme === names[0])!);

const SLOW = new Set(["ARGON2ID", "ARGON2I", "SHA512-CRYPT", "SHA256-CRYPT"]);

for (const { scheme, stored, password: right } of ONE_EACH) {
  test(`${scheme} never verifies another password`, () => {
    const hash = readStored(stored, SCHEMES);
    const counts = SIGNIFICANT[scheme] ?? ((bytes) => bytes);
    const same = (one: Uint8Array, other: Uint8Array) =>
      Buffer.compare(counts(one), counts(other)) === 0;
    fc.assert(
      fc.property(password, (other) => hash.matches(other) === same(other, right)),
      inputs(SLOW.has(scheme) ? 2000 : 200),
    );
  });
}

/** True if a stored text matches a password that was not stored. An error other than UnreadableHash is a bug. */
function letsIn(stored: string): boolean {
  try {
    return readStored(stored, SCHEMES).matches(Buffer.from("another password"));
  } catch (error) {
    if (error instanceof UnreadableHash) return false;
    throw error;
  }
}

/** Fragments that the parsers know. */
const PIECES = [
  SCHEMES.flatMap(({ names }) => names.map((name) => `{${name}}`)),
  ["{CRYPT}", "{SSHA.b64}", "{SSHA.hex}", "{", "}", ".hex", "$", ",", "=", "*", "\n", "\0", "é"],
  ["$1$", "$5$", "$6$", "$2y$", "$2x$04$", "$apr1$", "$argon2id$", "v=19$", "m=64,t=1,p=1$"],
  ["rounds=", "rounds=1000$", "4096,", "0", "-1", "9".repeat(30), "1e9"],
  ["a".repeat(22), "b".repeat(43), "c".repeat(86), "d".repeat(40), "AAAAAAAAAAAA"],
].flat();

test("a text made of fragments that the parsers know is refused or wrong", () => {
  const text = fc
    .array(fc.constantFrom(...PIECES), { maxLength: 8 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (stored) => !letsIn(stored)),
    inputs(3),
  );
});

test("any text is refused or wrong", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (stored) => !letsIn(stored)),
    inputs(3),
  );
});

for (const { scheme, stored } of ONE_EACH) {
  test(`a stored ${scheme} with a changed, missing or additional character is refused or wrong`, () => {
    const at = fc.nat(stored.length - 1);
    const unit = fc.string({ unit: "binary", maxLength: 2 });
    const broken = fc
      .tuple(at, fc.nat(2), unit)
      .map(
        ([from, removed, added]) => stored.slice(0, from) + added + stored.slice(from + removed),
      );
    fc.assert(
      fc.property(broken, (text) => !letsIn(text)),
      inputs(SLOW.has(scheme) ? 700 : 50),
    );
  });
}
