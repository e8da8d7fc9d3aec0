import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseIp } from "../../shared/address.ts";

for (const address of [
  "192.0.2.1",
  "0.0.0.0",
  "255.255.255.255",
  "::",
  "::1",
  "2001:db8::7",
  "::ffff:192.0.2.1",
]) {
  test(`${address} is an IP address`, () => assert.notEqual(parseIp(address), null));
}

for (const text of [
  "",
  "localhost",
  "imap.example.test",
  "192.0.2",
  "192.0.2.256",
  "1.2.3.4.5",
  "[::1]",
  "::1]/",
  "fe80::1%eth0",
  "1::2::3",
  "192.0.2.1:143",
  "192.0.2.1\r\nX: y",
  "::1\n",
  "unix:/x",
]) {
  test(`${JSON.stringify(text)} is no IP address`, () => assert.equal(parseIp(text), null));
}

/** The characters of addresses, and of what is put around them. */
const ALMOST = Array.from("0123456789abf:.[]%/ \n");

test("of any text, what is called an IP address is one to Node as well", () => {
  const nearly = fc.string({ unit: fc.constantFrom(...ALMOST), maxLength: 20 });
  const texts = fc.oneof(fc.ipV4(), fc.ipV6(), nearly);
  fc.assert(
    fc.property(texts, (text) => assert.ok(parseIp(text) === null || isIP(text) !== 0, text)),
    { numRuns: 2_000 },
  );
});

test("every IPv4 and IPv6 address in canonical form is one", () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => parseIp(text) !== null));
});
