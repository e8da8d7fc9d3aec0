import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  isBookmark,
  isUserId,
  parseUserVersion,
  readUserVersion,
} from "../../shared/user-version.ts";
import { inputs } from "../support/property.ts";

const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("base64url"));
const version = fc.maxSafeNat().map((number) => Math.max(1, number));

test("every 16 bytes are an id, and its version is read from headers and from JSON as it was written", () => {
  fc.assert(
    fc.property(id, version, (one, number) => {
      const user = { id: one, version: number };
      assert.deepEqual(parseUserVersion(one, String(number)), user);
      assert.deepEqual(readUserVersion(JSON.parse(JSON.stringify(user))), user);
    }),
    inputs(),
  );
});

test("an id with one character changed, lost or added is an id only where 16 bytes are written so", () => {
  let accepted = 0;
  const { numRuns: runs } = inputs(5);
  const edit = fc.record({
    at: fc.nat(22),
    lost: fc.nat(1),
    added: fc.string({ unit: "binary-ascii", maxLength: 1 }),
  });
  fc.assert(
    fc.property(id, edit, (one, { at, lost, added }) => {
      const text = one.slice(0, at) + added + one.slice(at + lost);
      const bytes = Buffer.from(text, "base64url");
      const canonical = bytes.length === 16 && bytes.toString("base64url") === text;
      assert.equal(isUserId(text), canonical);
      if (canonical) accepted++;
    }),
    inputs(5),
  );
  assert.ok(accepted > runs / 20 && accepted < runs, `${accepted} of ${runs} were ids`);
});

describe("a version that no worker writes is refused:", () => {
  const one = "AAAAAAAAAAAAAAAAAAAAAA";
  const texts = ["", "0", "-1", "+1", "01", "1.0", "1e3", " 1", "1 ", "0x1", "9007199254740992"];
  for (const text of [...texts, "99999999999999999", "１", "1, 1", null, undefined]) {
    test(`${text}`, () => assert.equal(parseUserVersion(one, text), null));
  }
  for (const value of [0, -1, 1.5, 2 ** 53, Number.NaN, "1", null, [1], undefined]) {
    test(`${JSON.stringify(value)} in JSON`, () => {
      assert.equal(readUserVersion({ id: one, version: value }), null);
    });
  }
});

test("a user's version of any other JSON is null", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => assert.equal(readUserVersion(value), null)),
    inputs(),
  );
  assert.equal(parseUserVersion(null, "1"), null);
  assert.equal(parseUserVersion("AAAAAAAAAAAAAAAAAAAAA", "1"), null);
});

test("a bookmark is 1 to 128 printable ASCII characters, so that it fits into a header as it is", () => {
  let accepted = 0;
  const { numRuns: runs } = inputs(10);
  const text = fc.oneof(
    fc.stringMatching(/^[!-~]{1,140}$/),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  fc.assert(
    fc.property(text, (value) => {
      if (!isBookmark(value)) return;
      accepted++;
      assert.equal(
        new Headers({ "Auth-Directory-Bookmark": value }).get("Auth-Directory-Bookmark"),
        value,
      );
      assert.ok(value.length >= 1 && value.length <= 128);
    }),
    inputs(10),
  );
  assert.ok(accepted > runs / 4 && accepted < runs, `${accepted} of ${runs} were bookmarks`);
  assert.ok(isBookmark("00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683"));
  for (const bad of ["", " a", "a b", "a\n", "a\u007f", "\u00e4", "a".repeat(129), 1, null]) {
    assert.equal(isBookmark(bad), false);
  }
});
