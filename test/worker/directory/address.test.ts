import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { normalAddress } from "../../../worker/directory/address.ts";
import { inputs } from "../../support/property.ts";

for (const [login, defaultDomain, address] of [
  ["alice@example.test", "", "alice@example.test"],
  ["Alice@Example.TEST", "", "alice@example.test"],
  ["\u00c4RGER@Example.test", "", "\u00e4rger@example.test"],
  ["a\u0308rger@example.test", "", "\u00e4rger@example.test"],
  ["J\u030c@example.test", "", "\u01f0@example.test"],
  ["alice@B\u00fccher.test", "", "alice@xn--bcher-kva.test"],
  ["alice@xn--bcher-kva.test", "", "alice@xn--bcher-kva.test"],
  ["Alice", "", "alice"],
  ["Alice", "Example.test", "alice@example.test"],
  ["alice@other.test", "example.test", "alice@other.test"],
  ["alice@", "example.test", "alice@"],
  ["", "", ""],
  [" alice ", "", " alice "],
  ["a@b@example.test", "", "a@b@example.test"],
  ["alice@example.test/x", "", "alice@example.test/x"],
  ["alice@example.test:143", "", "alice@example.test:143"],
  ["alice@%65xample.test", "", "alice@%65xample.test"],
] as const) {
  test(`"${login}" with the default domain "${defaultDomain}" is "${address}"`, () => {
    assert.equal(normalAddress(login, { defaultDomain, separators: "" }), address);
  });
}

for (const [login, separators, address] of [
  ["alice%example.test", "%!", "alice@example.test"],
  ["alice%a%example.test", "%", "alice%a@example.test"],
  ["example.test!alice", "%!", "alice@example.test"],
  ["alice%example.test", "!", "alice%example.test@default.test"],
  ["alice%x@example.test", "%", "alice%x@example.test"],
  ["%example.test", "%", "%example.test@default.test"],
  ["alice%example.test", "", "alice%example.test@default.test"],
] as const) {
  test(`"${login}" with "${separators}" instead of an @ is "${address}"`, () => {
    assert.equal(normalAddress(login, { defaultDomain: "default.test", separators }), address);
  });
}

test("without rules a name stays as it is", () => {
  assert.equal(normalAddress("Alice%example.test", {}), "alice%example.test");
});

test("letters that look alike stay different", () => {
  assert.notEqual(normalAddress("\u0430lice@example.test"), normalAddress("alice@example.test"));
});

/** Accents, and letters with accents in one case or in both. */
const letters = fc.string({
  unit: fc.constantFrom(..."aAiIıİjJyYσΣςßẞKÅῳᾼ\u0301\u0308\u030c\u0345"),
});
const anything = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), letters);

test("a normal address stays as it is", () => {
  fc.assert(
    fc.property(anything, anything, (user, domain) => {
      const rules = { defaultDomain: "example.test", separators: "" };
      const once = normalAddress(`${user}@${domain}`, rules);
      assert.equal(normalAddress(once, rules), once);
    }),
    inputs(),
  );
});
