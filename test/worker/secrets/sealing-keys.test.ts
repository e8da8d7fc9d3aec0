import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isSendable, readKeys, readMasterPasswords } from "../../../worker/secrets/index.ts";
import { inputs } from "../../support/property.ts";

const KEY = `${"A".repeat(43)}=`;
const OTHER = `${"B".repeat(43)}=`;
const OWN = { user: "alice@example.test", purpose: "own" } as const;

test("any secret can be opened again, and sealing twice gives different texts", async () => {
  const keys = readKeys(`a:${KEY}`)!;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (secret) => {
      const sealed = await keys.seal(secret, OWN);
      assert.equal(await keys.open(sealed, OWN), secret);
      assert.notEqual(await keys.seal(secret, OWN), sealed);
    }),
    { ...inputs(100), examples: [["\u{FEFF}s3cret"]] },
  );
});

test("the first key seals and all keys open, so that keys can be rotated", async () => {
  const sealed = await readKeys(`a:${KEY}`)!.seal("s3cret", OWN);
  const both = readKeys(`b:${OTHER},\n a:${KEY}`)!;
  assert.equal(await both.open(sealed, OWN), "s3cret");
  const anew = await both.seal("s3cret", OWN);
  assert.equal(await readKeys(`b:${OTHER}`)!.open(anew, OWN), "s3cret");
  await assert.rejects(readKeys(`b:${OTHER}`)!.open(sealed, OWN), /no key named a/);
});

test("a secret does not open for another user, another purpose, or another key of the same name", async () => {
  const keys = readKeys(`a:${KEY}`)!;
  const sealed = await keys.seal("s3cret", OWN);
  await assert.rejects(keys.open(sealed, { ...OWN, user: "bob@example.test" }), /broken/);
  await assert.rejects(keys.open(sealed, { ...OWN, purpose: "upstream" }), /broken/);
  await assert.rejects(readKeys(`a:${OTHER}`)!.open(sealed, OWN), /broken/);
});

test("an altered or invalid secret is reported as broken, and not quoted", async () => {
  const keys = readKeys(`a:${KEY}`)!;
  const sealed = await keys.seal("s3cret", OWN);
  for (const text of ["a:", "a:!", "a:AAAA", "", `${sealed}AAAA`, sealed.slice(0, -4)]) {
    await assert.rejects(
      keys.open(text, OWN),
      /^Error: (the own secret of alice@example.test is broken|SECRET_KEYS has no key named )$/,
    );
  }
  // The last letter before the padding has unused bits, which must not change either.
  for (let index = 2; index < sealed.length - 2; index++) {
    for (const letter of "ABQgw") {
      if (sealed[index] === letter) continue;
      const altered = sealed.slice(0, index) + letter + sealed.slice(index + 1);
      await assert.rejects(
        keys.open(altered, OWN),
        /^Error: the own secret of alice@example.test is broken$/,
      );
    }
  }
});

test("an empty setting means no keys, and an error about a malformed one contains no key", () => {
  assert.equal(readKeys(""), null);
  assert.equal(readKeys(" , "), null);
  for (const setting of [KEY, `a:${KEY}x`, "a:", `a b:${KEY}`, `a:${KEY};b:${OTHER}`]) {
    assert.throws(() => readKeys(setting), /^Error: SECRET_KEYS is not ID:BASE64[^AB]*$/);
  }
});

test("master passwords are read by name, and an error about a malformed setting contains none", () => {
  assert.equal(readMasterPasswords("").size, 0);
  assert.equal(readMasterPasswords('{"proxy": "a:b"}').get("proxy"), "a:b");
  for (const setting of ['{"proxy": canary}', '{"proxy": 1}', '"canary"', "[]", "null"]) {
    assert.throws(
      () => readMasterPasswords(setting),
      /^Error: MASTER_PASSWORDS is not a JSON object[^:]*$/,
    );
  }
});

test("a sendable text arrives unchanged in a header", () => {
  for (const text of ["a", "a b", "%41", 'p"ss', "~".repeat(100)]) assert.ok(isSendable(text));
  for (const text of ["", " a", "a ", "a\t", "ä", "a\r\nb", "a\nb", "a\0b", "\x7f"]) {
    assert.ok(!isSendable(text), JSON.stringify(text));
  }
});
