import assert from "node:assert/strict";
import { test } from "node:test";
import { normalAddress } from "../../../worker/directory/address.ts";

for (const [login, domain, address] of [
  ["alice@example.test", "", "alice@example.test"],
  ["Alice@Example.TEST", "", "alice@example.test"],
  ["ÄRGER@Example.test", "", "ärger@example.test"],
  ["Alice", "", "alice"],
  ["Alice", "Example.test", "alice@example.test"],
  ["alice@other.test", "example.test", "alice@other.test"],
  ["alice@", "example.test", "alice@"],
  ["", "", ""],
  [" alice ", "", " alice "],
] as const) {
  test(`"${login}" with the default domain "${domain}" is "${address}"`, () => {
    assert.equal(normalAddress(login, domain), address);
  });
}
