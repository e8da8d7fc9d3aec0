import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  clientNetwork,
  contains,
  isLocalhost,
  networksOf,
  isIp,
  parseIp,
  parseNetwork,
} from "../../shared/address.ts";
import { inputs } from "../support/property.ts";

for (const address of [
  "192.0.2.1",
  "0.0.0.0",
  "255.255.255.255",
  "::",
  "::1",
  "2001:db8::7",
  "::ffff:192.0.2.1",
]) {
  test(`${address} is an IP address`, () => {
    assert.notEqual(parseIp(address), null);
    assert.ok(isIp(address));
  });
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
  test(`${JSON.stringify(text)} is no IP address`, () => {
    assert.equal(parseIp(text), null);
    assert.ok(!isIp(text));
  });
}

/** Characters in addresses and near them. */
const ALMOST = Array.from("0123456789abf:.[]%/ \n");

test("a text that is read as an IP address is one to Node as well", () => {
  const nearly = fc.string({ unit: fc.constantFrom(...ALMOST), maxLength: 20 });
  const texts = fc.oneof(fc.ipV4(), fc.ipV6(), nearly);
  fc.assert(
    fc.property(texts, (text) => {
      assert.equal(isIp(text), parseIp(text) !== null, text);
      assert.ok(parseIp(text) === null || isIP(text) !== 0, text);
    }),
    inputs(5),
  );
});

test("all IPv4 and IPv6 addresses in canonical form are read", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => parseIp(text) !== null),
    inputs(),
  );
});

test("the networks of an address all contain it, the narrowest first, in canonical form", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const ip = parseIp(text)!;
      const networks = networksOf(ip).map((network) => parseNetwork(network)!);
      const bits = ip.kind() === "ipv4" ? 32 : 128;
      assert.deepEqual(
        networks.map(({ prefix }) => prefix),
        Array.from({ length: bits + 1 }, (_, index) => bits - index),
      );
      for (const network of networks) {
        assert.ok(contains(network, ip));
        assert.equal(
          networksOf(network.address)[bits - network.prefix],
          networksOf(ip)[bits - network.prefix],
        );
      }
    }),
    inputs(200),
  );
});

test("networks are formatted in canonical form", () => {
  const networks = networksOf(parseIp("192.0.2.77")!);
  assert.deepEqual(
    [networks[0], networks[8], networks[9], networks[32]],
    ["192.0.2.77/32", "192.0.2.0/24", "192.0.2.0/23", "0.0.0.0/0"],
  );
  assert.equal(networksOf(parseIp("2001:db8:1:2::7")!)[64], "2001:db8:1:2::/64");
});

test("a client's network is its IPv4 address or its IPv6 /64", () => {
  const clients = {
    "192.0.2.9": "192.0.2.9/32",
    "::ffff:192.0.2.9": "192.0.2.9/32",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:DB8:1:2::": "2001:db8:1:2::/64",
    "::1": "::/64",
  };
  for (const [client, network] of Object.entries(clients)) {
    assert.equal(clientNetwork(parseIp(client)!), network);
  }
});

test("localhost and the names below it are loopback, in any case and with a final dot", () => {
  for (const name of ["localhost", "LocalHost", "localhost.", "mail.localhost", "a.b.localhost."]) {
    assert.ok(isLocalhost(name), name);
  }
  for (const name of [
    "",
    "mylocalhost",
    "localhost.test",
    ".localhost",
    "127.0.0.1",
    "localhost..",
  ]) {
    assert.ok(!isLocalhost(name), name);
  }
});
