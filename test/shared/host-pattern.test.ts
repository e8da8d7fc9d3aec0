import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  HostPatterns,
  canonicalName,
  isHostPattern,
  splitPatterns,
} from "../../shared/host-pattern.ts";
import { inputs } from "../support/property.ts";

/** The patterns on the Open-Xchange page. */
const PAGE = "localhost|127.0.0.0/8|[::1]|10.0.0.0/8|*.domain.com";

function match(list: string, host: string, ...addresses: string[]): boolean {
  return new HostPatterns(splitPatterns(list)).match(host, addresses);
}

describe("the patterns of the Open-Xchange page", () => {
  for (const host of [
    "localhost",
    "LocalHost.",
    "127.0.0.1",
    "127.255.255.255",
    "::1",
    "0:0:0:0:0:0:0:1",
    "10.1.2.3",
    "::ffff:10.1.2.3",
    "mail.domain.com",
    "A.B.DOMAIN.COM.",
  ]) {
    test(`match ${host}`, () => assert.ok(match(PAGE, host)));
  }
  for (const host of [
    "domain.com",
    "mail.domain.com.example",
    "notdomain.com",
    "localhost.example",
    "mylocalhost",
    "11.0.0.1",
    "128.0.0.1",
    "::2",
    "",
  ]) {
    test(`do not match "${host}"`, () => assert.ok(!match(PAGE, host)));
  }

  test("match a name by any of its addresses", () => {
    assert.ok(match(PAGE, "mail.example", "192.0.2.1", "10.9.9.9"));
    assert.ok(match(PAGE, "mail.example", "::1"));
    assert.ok(!match(PAGE, "mail.example", "192.0.2.1", "2001:db8::1"));
  });
});

const CASES: readonly (readonly [pattern: string, fits: string, not: string])[] = [
  ["mail.*", "MAIL.example", "xmail.example"],
  ["*mail*", "a.mailer.example", "a.mal.example"],
  ["192.168.*", "192.168.7.7", "192.16.8.1"],
  ["2001:db8:*", "2001:DB8::7", "2001:db9::7"],
  ["2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"],
  ["[2001:db8::/32]", "2001:db8:ffff::1", "2001:db9::1"],
  ["[2001:db8::]/32", "2001:db8:ffff::1", "2001:db9::1"],
  ["[192.0.2.0/24]", "192.0.2.200", "192.0.3.1"],
  ["192.0.2.77/24", "192.0.2.1", "192.0.3.1"],
  ["0.0.0.0/0", "203.0.113.9", "2001:db8::1"],
  ["münchen.example", "xn--mnchen-3ya.example", "munchen.example"],
  ["*.MÜNCHEN.example.", "mail.münchen.example", "münchen.example"],
  ["a_b.example", "A_b.Example", "a-b.example"],
];
for (const [pattern, fits, not] of CASES) {
  test(`${pattern} matches ${fits} and not "${not}"`, () => {
    assert.ok(isHostPattern(pattern));
    assert.ok(match(pattern, fits));
    assert.ok(!match(pattern, not));
  });
}

for (const wrong of [
  "",
  "a*b",
  "***x*",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "300.1.1.1",
  "10.1",
  "0x7f.1",
  "[::1",
  "::1]",
  "[*.example]",
  "[mail.example]",
  "two words",
  "http://proxy",
  "mail.example:143",
  "a..b",
  "user@host",
]) {
  test(`"${wrong}" is not a pattern, and matches nothing`, () => {
    assert.ok(!isHostPattern(wrong));
    assert.ok(!new HostPatterns([wrong]).match(wrong));
  });
}

test("a star alone matches any host", () => {
  for (const host of ["mail.example", "192.0.2.1", "2001:db8::1", "no name"])
    assert.ok(match("*", host));
});

test("a list may contain blanks and empty patterns", () => {
  assert.deepEqual(splitPatterns("| a | |b|"), ["a", "b"]);
  assert.deepEqual(splitPatterns(""), []);
});

test("addresses are wanted only for a pattern with a network", () => {
  assert.ok(new HostPatterns(["10.0.0.0/8"]).wantAddresses);
  assert.ok(!new HostPatterns(["*.example", "localhost"]).wantAddresses);
});

const label = fc.stringMatching(/^[a-z]([a-z0-9_-]{0,10}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
const octet = fc.nat(255);
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));

function anyCase(text: string): fc.Arbitrary<string> {
  return fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) =>
      Array.from(text, (char, at) => (upper[at] === true ? char.toUpperCase() : char)).join(""),
    );
}

test("a name matches itself in any case, with or without the final dot", () => {
  const pair = name.chain((text) => fc.tuple(anyCase(text), anyCase(text), fc.boolean()));
  fc.assert(
    fc.property(pair, ([pattern, host, dot]) => {
      assert.ok(match(pattern, dot ? `${host}.` : host));
      assert.ok(match(dot ? `${pattern}.` : pattern, host));
    }),
    inputs(2),
  );
});

test("a star matches any beginning, any end, or both", () => {
  fc.assert(
    fc.property(name, fc.nat(), fc.nat(), (text, one, other) => {
      const from = Math.min(one, other) % (text.length + 1);
      const to = Math.max(from, Math.max(one, other) % (text.length + 1));
      assert.ok(match(`*${text.slice(from)}`, text));
      assert.ok(match(`${text.slice(0, to)}*`, text));
      assert.ok(match(`*${text.slice(from, to)}*`, text));
    }),
    inputs(2),
  );
});

test("two names match only if they are equal", () => {
  fc.assert(
    fc.property(name, name, (one, other) => {
      assert.equal(match(one, other), one === other);
    }),
    inputs(2),
  );
});

test("a network matches exactly the addresses with its prefix", () => {
  const bits = (address: string): string =>
    address
      .split(".")
      .map((each) => Number(each).toString(2).padStart(8, "0"))
      .join("");
  fc.assert(
    fc.property(ipv4, ipv4, fc.integer({ min: 0, max: 32 }), (network, address, prefix) => {
      const same = bits(network).slice(0, prefix) === bits(address).slice(0, prefix);
      assert.equal(match(`${network}/${prefix}`, address), same);
      assert.equal(match(`[${network}/${prefix}]`, `::ffff:${address}`), same);
      assert.equal(match(`${network}/${prefix}`, "mail.example", address), same);
    }),
    inputs(2),
  );
});

test("no pattern and no host causes an error", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.stringMatching(/^[*.[\]:/0-9a-f|]*$/),
  );
  fc.assert(
    fc.property(text, text, (pattern, host) => {
      const fits = new HostPatterns([pattern]).match(host, [host]);
      assert.ok(!fits || isHostPattern(pattern));
    }),
    inputs(2),
  );
});

test("a canonical name is ASCII, and its canonical name is itself", () => {
  fc.assert(
    fc.property(fc.oneof(name, fc.string({ unit: "binary" }), fc.domain()), (text) => {
      const canonical = canonicalName(text);
      if (canonical === null) return;
      assert.match(canonical, /^[a-z0-9_.-]{1,253}$/);
      assert.equal(canonicalName(canonical), canonical);
    }),
    inputs(2),
  );
});
