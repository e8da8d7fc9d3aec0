import assert from "node:assert/strict";
import { test } from "node:test";
import { comparableAddress } from "../../shared/user-address.ts";

test("names are compared without case, in Unicode's composed form, and with the domain in its IDNA form", () => {
  for (const [one, other] of [
    ["JÖRG@example.test", "jo\u0308rg@example.test"],
    ["J\u030c@example.test", "\u01f0@EXAMPLE.TEST"],
    ["a@exämple.test", "A@XN--EXMPLE-CUA.TEST"],
    ["a@EXA\u0308MPLE.test", "a@xn--exmple-cua.test"],
    ["u42*master", "U42*Master"],
  ] as const) {
    assert.equal(comparableAddress(one), comparableAddress(other), `${one} and ${other}`);
  }
  assert.notEqual(comparableAddress("jorg@example.test"), comparableAddress("jörg@example.test"));
});
