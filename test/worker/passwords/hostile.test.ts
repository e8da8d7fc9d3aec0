import { test } from "node:test";
import * as fc from "fast-check";
import { SCHEMES, UnreadableHash, readStored } from "../../support/passwords.ts";
import { VECTORS } from "./vectors.ts";

/** As the worker lets them in: any byte but NUL. */
const password = fc.uint8Array({ min: 1, maxLength: 100 });

/** What of a password counts: the rest is cut off by the scheme itself. */
const COUNTS: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  "BLF-CRYPT": (bytes) => bytes.subarray(0, 72),
  // To which 0x80 is as good as nothing.
  "DES-CRYPT": (bytes) => Uint8Array.from({ length: 8 }, (_, at) => (bytes[at] ?? 0) & 0x7f),
};

/** A vector for each scheme: the cheapest that there is. */
const ONE_EACH = SCHEMES.map(({ names }) => VECTORS.findLast(({ scheme }) => scheme === names[0])!);

const SLOW = new Set(["ARGON2ID", "ARGON2I", "SHA512-CRYPT", "SHA256-CRYPT"]);

for (const { scheme, stored, password: right } of ONE_EACH) {
  test(`${scheme} never verifies another password`, () => {
    const hash = readStored(stored, SCHEMES);
    const counts = COUNTS[scheme] ?? ((bytes) => bytes);
    const same = (one: Uint8Array, other: Uint8Array) =>
      Buffer.compare(counts(one), counts(other)) === 0;
    fc.assert(
      fc.property(password, (other) => hash.matches(other) === same(other, right)),
      { numRuns: SLOW.has(scheme) ? 5 : 50 },
    );
  });
}

/** Whether a stored text lets a password in that nobody has. Anything thrown but UnreadableHash is a bug. */
function letsIn(stored: string): boolean {
  try {
    return readStored(stored, SCHEMES).matches(Buffer.from("nobody's password"));
  } catch (error) {
    if (error instanceof UnreadableHash) return false;
    throw error;
  }
}

/** What the parsers look for, in any order. */
const PIECES = [
  SCHEMES.flatMap(({ names }) => names.map((name) => `{${name}}`)),
  ["{CRYPT}", "{SSHA.b64}", "{SSHA.hex}", "{", "}", ".hex", "$", ",", "=", "*", "\n", "\0", "é"],
  ["$1$", "$5$", "$6$", "$2y$", "$2x$04$", "$apr1$", "$argon2id$", "v=19$", "m=64,t=1,p=1$"],
  ["rounds=", "rounds=1000$", "4096,", "0", "-1", "9".repeat(30), "1e9"],
  ["a".repeat(22), "b".repeat(43), "c".repeat(86), "d".repeat(40), "AAAAAAAAAAAA"],
].flat();

test("a text pieced together from what the parsers look for is refused or wrong", () => {
  const text = fc
    .array(fc.constantFrom(...PIECES), { maxLength: 8 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, (stored) => !letsIn(stored)),
    { numRuns: 3_000 },
  );
});

test("any text at all is refused or wrong", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (stored) => !letsIn(stored)),
    { numRuns: 3_000 },
  );
});

for (const { scheme, stored } of ONE_EACH) {
  test(`a stored ${scheme} with a character changed, left out or put in is refused or wrong`, () => {
    const at = fc.nat(stored.length - 1);
    const unit = fc.string({ unit: "binary", maxLength: 2 });
    const broken = fc
      .tuple(at, fc.nat(2), unit)
      .map(
        ([from, removed, added]) => stored.slice(0, from) + added + stored.slice(from + removed),
      );
    fc.assert(
      fc.property(broken, (text) => !letsIn(text)),
      { numRuns: SLOW.has(scheme) ? 15 : 200 },
    );
  });
}
