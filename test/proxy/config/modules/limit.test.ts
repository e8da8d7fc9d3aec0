// limit_conn_zone, limit_conn and limit_login_rate, and nginx's errors about them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answer,
  configure,
  mailBlock,
  mistake,
  server,
} from "../../../support/proxy/configuration.ts";

const IPV6 = [
  { length: 64, factor: 1 },
  { length: 56, factor: 4 },
  { length: 48, factor: 16 },
];
const IPV4 = [{ length: 32, factor: 1 }];
/** Those of a connection, of a login, and of a zone that does not count clients. */
const PREFIXES = { ipv4: IPV4, ipv6: IPV6 };
const LOGIN_PREFIXES = { ipv4: [...IPV4, { length: 24, factor: 16 }], ipv6: IPV6 };
const NONE = { ipv4: [], ipv6: [] };

const ZONES = `
  limit_conn_zone $binary_remote_addr zone=addr:32k;
  limit_conn_zone $remote_addr zone=text:1m;
  limit_conn_zone $remote_user zone=user:10m;
  limit_conn_zone $upstream_addr zone=server:64k;
`;

describe("limit_conn", () => {
  test("counts by its zone's key", () => {
    const { connectionLimits } = server(
      "limit_conn addr 5; limit_conn text 6; limit_conn user 7; limit_conn server 65535;",
      ZONES,
    );
    assert.deepEqual(connectionLimits, [
      { zone: "addr", by: "client", prefixes: PREFIXES, room: 512, most: 5 },
      { zone: "text", by: "client", prefixes: PREFIXES, room: 16_384, most: 6 },
      { zone: "user", by: "user", prefixes: NONE, room: 163_840, most: 7 },
      { zone: "server", by: "server", prefixes: NONE, room: 1024, most: 65_535 },
    ]);
  });

  test("is inherited only where a server has none of its own", () => {
    const mail = `${ZONES} limit_conn addr 5; limit_conn user 7;`;
    const most = (inServer: string) =>
      server(inServer, mail).connectionLimits.map((limit) => [limit.zone, limit.most]);
    assert.deepEqual(most(""), [
      ["addr", 5],
      ["user", 7],
    ]);
    assert.deepEqual(most("limit_conn server 3;"), [["server", 3]]);
  });

  test("may stand before its zone", () => {
    const [first] = configure(mailBlock("", `limit_conn addr 5; ${ZONES}`)).servers;
    assert.equal(first?.connectionLimits[0]?.zone, "addr");
  });

  const mistakes: Readonly<Record<string, string>> = {
    "limit_conn nowhere 5;": 'zero size shared memory zone "nowhere"',
    "limit_conn addr 0;": 'invalid number of connections "0"',
    "limit_conn addr -1;": 'invalid number of connections "-1"',
    "limit_conn addr five;": 'invalid number of connections "five"',
    "limit_conn addr 65536;": "connection limit must be less 65536",
    "limit_conn addr 5; limit_conn addr 6;": '"limit_conn" directive is duplicate',
    "limit_conn addr;": 'invalid number of arguments in "limit_conn" directive',
    "limit_conn_zone $remote_addr zone=a:1m;": '"limit_conn_zone" directive is not allowed here',
  };
  for (const [text, words] of Object.entries(mistakes)) {
    test(`as "${text}" gets nginx's error`, () => {
      assert.equal(
        mistake(mailBlock(text, ZONES.replaceAll("\n", " "))),
        `${words} in /conf/main.conf:1`,
      );
    });
  }
});

describe("limit_conn_zone", () => {
  const mistakes: Readonly<Record<string, string>> = {
    "$remote_addr zone=a": 'invalid zone size "zone=a"',
    "$remote_addr zone=a:much": 'invalid zone size "zone=a:much"',
    "$remote_addr zone=a:31k": 'zone "zone=a:31k" is too small',
    "$remote_addr zone=:1m": '"limit_conn_zone" must have "zone" parameter',
    "$remote_addr size=1m": 'invalid parameter "size=1m"',
    "$server_name zone=a:1m": 'unknown "server_name" variable',
    "$remote_addr zone=a:1m ipv6=64": 'invalid parameter "ipv6=64"',
    "$remote_user zone=a:1m ipv6_prefix=64": 'invalid parameter "ipv6_prefix=64"',
    "$remote_addr zone=a:1m; limit_conn_zone $remote_user zone=a:1m":
      'limit_conn_zone "a" is already bound to key "$remote_addr"',
    "$remote_addr zone=a:1m; limit_conn_zone $remote_addr zone=a:2m":
      'the size 2097152 of shared memory zone "a" conflicts with already declared size 1048576',
    "$remote_addr zone=a:1m; ssl_session_cache shared:a:1m":
      'the shared memory zone "a" is already declared for a different use',
  };
  for (const [words, said] of Object.entries(mistakes)) {
    test(`as "${words}" gets nginx's error`, () => {
      const text = mailBlock("", `limit_conn_zone ${words};`);
      assert.equal(mistake(text), `${said} in /conf/main.conf:1`);
    });
  }

  test("lists its variables in the advice", () => {
    const { advice } = answer(mailBlock("", "limit_conn_zone $uri zone=a:1m;"));
    assert.match(
      advice ?? "",
      /\$binary_remote_addr, \$remote_addr, \$remote_user, \$upstream_addr/,
    );
  });
});

describe("limit_login_rate", () => {
  test("is logins a second or a minute, with that number as the default burst", () => {
    const rate = (text: string) => server(`limit_login_rate ${text};`).limit_login_rate;
    const prefixes = LOGIN_PREFIXES;
    assert.deepEqual(rate("30r/m"), { rate: 0.5, burst: 30, prefixes });
    assert.deepEqual(rate("5r/s"), { rate: 5, burst: 5, prefixes });
    assert.deepEqual(rate("5"), { rate: 5, burst: 5, prefixes });
    assert.deepEqual(rate("60r/m burst=10"), { rate: 1, burst: 10, prefixes });
    assert.equal(server("").limit_login_rate, null);
  });

  test("may be off in one server", () => {
    assert.equal(server("limit_login_rate off;", "limit_login_rate 1r/m;").limit_login_rate, null);
  });

  const mistakes: Readonly<Record<string, string>> = {
    often: 'invalid rate "often"',
    "0r/m": 'invalid rate "0r/m"',
    "30r/h": 'invalid rate "30r/h"',
    "30r/m burst=0": 'invalid burst value "burst=0"',
    "30r/m burst=many": 'invalid burst value "burst=many"',
    "30r/m nodelay": 'invalid parameter "nodelay"',
    "30r/m ipv6_prefix=": 'invalid parameter "ipv6_prefix="',
    "off burst=1": 'invalid rate "off"',
  };
  for (const [words, said] of Object.entries(mistakes)) {
    test(`as "${words}" gets nginx's error`, () => {
      const text = mailBlock(`limit_login_rate ${words};`);
      assert.equal(mistake(text), `${said} in /conf/main.conf:1`);
    });
  }
});

describe("the prefixes of networks", () => {
  test("are parameters of limit_conn_zone and limit_login_rate, each family's in place of the default", () => {
    const parameters = "ipv6_prefix=60,48*2,32*2 ipv4_prefix=28";
    const ipv6 = [
      { length: 60, factor: 1 },
      { length: 48, factor: 2 },
      { length: 32, factor: 2 },
    ];
    const ipv4 = [{ length: 28, factor: 1 }];
    const zone = `limit_conn_zone $remote_addr zone=a:1m ${parameters};`;
    const rate = `limit_login_rate 9 ${parameters} burst=3;`;
    const { connectionLimits, limit_login_rate } = server(`limit_conn a 5; ${rate}`, zone);
    assert.deepEqual(connectionLimits[0]?.prefixes, { ipv4, ipv6 });
    assert.deepEqual(limit_login_rate, { rate: 9, burst: 3, prefixes: { ipv4, ipv6 } });
    assert.deepEqual(server("limit_login_rate 9 ipv4_prefix=28;").limit_login_rate?.prefixes, {
      ipv4,
      ipv6: IPV6,
    });
  });

  const lists = ["0", "129", "64,64", "48,64", "64*0", "64*65536", "64*4,48*2", "64,", "*4", "6a"];
  for (const list of lists) {
    test(`cannot be "${list}"`, () => {
      const told = answer(mailBlock(`limit_login_rate 9 ipv6_prefix=${list};`));
      assert.equal(told.message, `invalid parameter "ipv6_prefix=${list}" in /conf/main.conf:1`);
      assert.match(told.advice ?? "", /64,56\*4,48\*16/);
    });
  }

  test("of IPv4 have 32 bits at most", () => {
    const text = mailBlock("limit_login_rate 9 ipv4_prefix=33;");
    assert.equal(mistake(text), 'invalid parameter "ipv4_prefix=33" in /conf/main.conf:1');
  });
});
