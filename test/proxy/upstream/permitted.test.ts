// upstream_allow and upstream_deny: the addresses that a lookup may send a session to.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { permittedUpstreams } from "../../../proxy/upstream/index.ts";
import { contains, parseIp, parseNetwork } from "../../../shared/address.ts";
import { mistake, server } from "../../support/proxy/configuration.ts";
import { inputs } from "../../support/property.ts";

/** @returns why the host is refused by a server with these directives, or null */
function refusal(
  host: string,
  directives = "",
  endpoint = "https://lookup.example/auth",
): string | null {
  const settings = server(`auth_http ${endpoint}; ${directives}`);
  return permittedUpstreams(settings)?.refusal({ host, port: 143 }) ?? null;
}

const REFUSED: Readonly<Record<string, string>> = {
  "127.0.0.1": "loopback",
  "127.255.255.254": "loopback",
  "::1": "loopback",
  "::ffff:127.0.0.1": "loopback",
  "::ffff:7f00:1": "loopback",
  "::127.0.0.1": "loopback",
  "::ffff:0:127.0.0.1": "loopback",
  "64:ff9b::127.0.0.1": "loopback",
  "64:ff9b::7f00:1": "loopback",
  "64:ff9b:1::127.0.0.1": "loopback",
  "2002:7f00:1::1": "loopback",
  localhost: "loopback",
  "LocalHost.": "loopback",
  "mail.localhost": "loopback",
  "0x7f000001": "loopback",
  "169.254.169.254": "metadata",
  "::ffff:169.254.169.254": "metadata",
  "64:ff9b::a9fe:a9fe": "metadata",
  "2002:a9fe:a9fe::": "metadata",
  "fd00:ec2::254": "metadata",
  "fd20:ce::254": "metadata",
  "100.100.100.200": "metadata",
  "169.254.1.1": "link-local",
  "fe80::1": "link-local",
  "febf::1": "link-local",
  "0.0.0.0": "unspecified",
  "0.1.2.3": "unspecified",
  "::": "unspecified",
  "::ffff:0.0.0.0": "unspecified",
  "224.0.0.1": "multicast",
  "239.255.255.255": "multicast",
  "255.255.255.255": "multicast",
  "ff02::1": "multicast",
};

const PERMITTED = [
  "192.0.2.1",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "100.64.0.1",
  "126.255.255.255",
  "128.0.0.1",
  "169.253.255.255",
  "223.255.255.255",
  "2001:db8::1",
  "fd00::1",
  "fd00:ec2::253",
  "fec0::1",
  "::2:0:0:1",
  "64:ff9b::192.0.2.1",
  "2002:c000:201::1",
  "mail.example",
  "localhost.example",
  "mylocalhost",
];

describe("without a directive, a lookup endpoint elsewhere", () => {
  for (const [host, kind] of Object.entries(REFUSED)) {
    test(`may not name the ${kind} address ${host}`, () => {
      const why = refusal(host);
      assert.match(
        why ?? "",
        new RegExp(`may not name a ${kind} address, unless "upstream_allow \\S+;"`),
      );
    });
  }

  for (const host of PERMITTED) {
    test(`may name ${host}`, () => assert.equal(refusal(host), null));
  }

  test("is told of in one sentence with the remedy, and the remedy works", () => {
    for (const host of Object.keys(REFUSED)) {
      const [, remedy = ""] = /"(upstream_allow \S+;)"/.exec(refusal(host) ?? "") ?? [];
      // An address inside another one is permitted by a line of its own.
      const own = parseIp(host) === null ? "" : `upstream_allow ${host};`;
      assert.equal(refusal(host, `${remedy} ${own}`), null, `${host} ${remedy}`);
    }
    assert.equal(
      refusal("127.0.0.1"),
      'upstream 127.0.0.1:143 is refused: a lookup endpoint elsewhere may not name a loopback address, unless "upstream_allow 127.0.0.1;" permits it',
    );
  });
});

describe("a lookup endpoint on this machine", () => {
  for (const endpoint of [
    "http://127.0.0.1:9000/auth",
    "[::1]:9000",
    "localhost:9000",
    "https://auth.localhost/",
    "http://unix:/run/auth.sock:/auth",
  ]) {
    test(`at ${endpoint} may name any address, at no cost`, () => {
      assert.equal(permittedUpstreams(server(`auth_http ${endpoint};`)), null);
      assert.equal(permittedUpstreams(server(`auth_http ${endpoint}; upstream_allow ::1;`)), null);
    });
  }

  test("is bound by upstream_deny", () => {
    const local = "127.0.0.1:9000";
    assert.match(
      refusal("192.0.2.1", "upstream_deny 192.0.2.0/24;", local) ?? "",
      /^upstream 192\.0\.2\.1:143 is refused: "upstream_deny 192\.0\.2\.0\/24;" forbids it$/,
    );
    assert.equal(refusal("127.0.0.1", "upstream_deny 192.0.2.0/24;", local), null);
    assert.notEqual(
      refusal("127.0.0.1", "upstream_deny all; upstream_allow 10.0.0.0/8;", local),
      null,
    );
  });
});

describe("the directives", () => {
  const verdicts: readonly (readonly [directives: string, host: string, permitted: boolean])[] = [
    ["upstream_allow 127.0.0.0/8;", "127.0.0.1", true],
    ["upstream_allow 127.0.0.0/8;", "::ffff:127.0.0.1", true],
    ["upstream_allow 127.0.0.0/8;", "localhost", true],
    ["upstream_allow 127.0.0.0/8;", "::1", false],
    ["upstream_allow ::1;", "::1", true],
    ["upstream_allow 127.0.0.1 ::1;", "169.254.169.254", false],
    ["upstream_allow all;", "169.254.169.254", true],
    ["upstream_allow 10.0.0.0/8;", "192.0.2.1", true],
    ["upstream_deny all; upstream_allow 10.0.0.0/8;", "10.1.2.3", true],
    ["upstream_deny all; upstream_allow 10.0.0.0/8;", "192.0.2.1", false],
    ["upstream_deny all; upstream_allow 10.0.0.0/8;", "2001:db8::1", false],
    ["upstream_allow 10.0.0.0/8; upstream_deny 10.1.0.0/16;", "10.1.2.3", false],
    ["upstream_allow 10.1.2.0/24; upstream_deny 10.1.0.0/16;", "10.1.2.3", true],
    ["upstream_allow 10.0.0.0/8; upstream_deny 10.0.0.0/8;", "10.1.2.3", false],
    ["upstream_deny 192.0.2.0/24;", "127.0.0.1", false],
    ["upstream_deny 192.0.2.0/24;", "64:ff9b::192.0.2.1", false],
    ["upstream_deny all; upstream_allow 64:ff9b::/96;", "64:ff9b::192.0.2.1", true],
    ["upstream_allow all;", "64:ff9b::127.0.0.1", true],
  ];
  for (const [directives, host, permitted] of verdicts) {
    test(`${directives} ${permitted ? "permits" : "refuses"} ${host}`, () => {
      assert.equal(refusal(host, directives) === null, permitted);
    });
  }

  test("of a server replace those of the mail block, each by itself", () => {
    const settings = server("upstream_allow ::1;", "upstream_allow 127.0.0.1; upstream_deny all;");
    assert.deepEqual([settings.upstream_allow, settings.upstream_deny], [["::1"], ["all"]]);
  });

  test("take addresses, networks and all", () => {
    for (const word of ["mail.example", "10.0.0.0/33", "unix:", "10.0.0.0/8,::1", "ALL"]) {
      const text = `mail { upstream_allow ${word}; }`;
      assert.equal(mistake(text), `invalid parameter "${word}" in /conf/main.conf:1`);
    }
  });
});

/** Networks and hosts that often meet. */
const four = fc
  .tuple(fc.constantFrom(10, 127), fc.nat(1), fc.nat(1))
  .map(([a, b, c]) => `${a}.${b}.0.${c}`);
const six = fc.tuple(fc.nat(1), fc.nat(1)).map(([a, b]) => `2001:db8:${a}::${b}`);
const networks = fc.array(
  fc.oneof(
    fc.tuple(four, fc.constantFrom(8, 16, 24, 32)).map(([host, prefix]) => `${host}/${prefix}`),
    fc.tuple(six, fc.constantFrom(32, 48, 128)).map(([host, prefix]) => `${host}/${prefix}`),
    fc.constant("all"),
  ),
  { maxLength: 4 },
);

function longest(words: readonly string[], host: string): number {
  const prefixes = words.map((word) => {
    if (word === "all") return 0;
    const network = parseNetwork(word)!;
    return contains(network, parseIp(host)!) ? network.prefix : -1;
  });
  return Math.max(-1, ...prefixes);
}

test("for any networks, the longest that holds the address decides, and upstream_deny at equal length", () => {
  const seen = { permitted: 0, refused: 0 };
  fc.assert(
    fc.property(
      networks,
      networks,
      fc.oneof(four, six),
      fc.boolean(),
      (allow, deny, host, remote) => {
        const permitted = permittedUpstreams({
          upstream_allow: allow,
          upstream_deny: deny,
          auth_http: { host: remote ? "192.0.2.1" : "::1" },
        });
        const allowed = longest(allow, host);
        const denied = longest(deny, host);
        const isLoopback = host.startsWith("127.");
        const expected =
          allowed === -1 && denied === -1 ? !(remote && isLoopback) : allowed > denied;
        assert.equal((permitted?.refusal({ host, port: 1 }) ?? null) === null, expected);
        seen[expected ? "permitted" : "refused"]++;
      },
    ),
    inputs(5),
  );
  assert.ok(seen.permitted > 200 && seen.refused > 200, JSON.stringify(seen));
});
