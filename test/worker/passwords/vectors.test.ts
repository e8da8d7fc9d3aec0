import assert from "node:assert/strict";
import { test } from "node:test";
import { SCHEMES, checkStored, readStored } from "../../support/worker/passwords.ts";
import { VECTORS } from "./vectors.ts";

for (const { made, scheme, password, stored } of VECTORS) {
  test(`${scheme} made by \`${made}\` of ${password.length} bytes is verified`, () => {
    assert.deepEqual(checkStored(stored, SCHEMES), { scheme });
    const hash = readStored(stored, SCHEMES);
    assert.equal(hash.matches(password), true);
    // Both changes are within the significant bytes of each scheme.
    assert.equal(hash.matches(Uint8Array.of(0x21, ...password)), false);
    assert.equal(hash.matches(password.subarray(0, 5)), password.length <= 5);
  });
}

test("each scheme has a vector", () => {
  const covered = new Set(VECTORS.map(({ scheme }) => scheme));
  assert.deepEqual([...covered].toSorted(), SCHEMES.map(({ names }) => names[0]).toSorted());
});
