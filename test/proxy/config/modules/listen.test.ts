// The addresses of `listen` in all of nginx's forms, and nginx's errors for all others.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ConfigError, Listen } from "../../../../proxy/config/index.ts";
import { configure, mistake, server } from "../../../support/proxy/configuration.ts";
import { inputs } from "../../../support/property.ts";

/** The settings of a server's only `listen`. */
function listens(words: string): readonly Listen[] {
  const { servers } = configure(`mail { auth_http h; server { protocol imap; listen ${words}; } }`);
  return servers[0]!.listen;
}

/** The error about a `listen` on line 2, without its place, which this function checks. */
function wrong(words: string): string {
  const told = mistake(`mail { auth_http h; server { protocol imap;\n listen ${words};\n} }`);
  assert.ok(told.endsWith(" in /conf/main.conf:2"), told);
  return told.slice(0, -" in /conf/main.conf:2".length);
}

describe("an address", () => {
  const FORMS: Record<string, [host: string, ...ports: number[]]> = {
    "143": ["0.0.0.0", 143],
    "*:143": ["0.0.0.0", 143],
    "0.0.0.0:143": ["0.0.0.0", 143],
    "192.0.2.1:143": ["192.0.2.1", 143],
    "mail.example:143": ["mail.example", 143],
    "[2001:db8::1]:143": ["2001:db8::1", 143],
    "[2001:DB8:0:0::1]:143": ["2001:db8::1", 143],
    "[::ffff:192.0.2.1]:143": ["::ffff:192.0.2.1", 143],
    "[::]:143": ["::", 143],
    "143-145": ["0.0.0.0", 143, 144, 145],
    "*:143-144": ["0.0.0.0", 143, 144],
    "192.0.2.1:143-143": ["192.0.2.1", 143],
    "mail.example:65534-65535": ["mail.example", 65_534, 65_535],
    "[::1]:143-144": ["::1", 143, 144],
    "unix:/run/mail.sock": ["unix:/run/mail.sock", 0],
    "UNIX:mail.sock": ["unix:mail.sock", 0],
    "unix:/run/a:143": ["unix:/run/a:143", 0],
  };
  for (const [text, [host, ...ports]] of Object.entries(FORMS)) {
    test(`${text} is ${host}, port ${ports.join(" and ")}`, () => {
      const found = listens(text);
      assert.deepEqual(
        found.map((one) => [one.host, one.port]),
        ports.map((port) => [host, port]),
      );
    });
  }

  const long = `unix:/${"a".repeat(107)}`;
  const WRONG: Record<string, string> = {
    "0": "invalid port",
    "65536": "invalid port",
    "192.0.2.1": "invalid port",
    "mail.example": "invalid port",
    "192.0.2.1:": "invalid port",
    "192.0.2.1:0": "invalid port",
    "192.0.2.1:imap": "invalid port",
    "192.0.2.1:+143": "invalid port",
    "2001:db8::1:143": "invalid port",
    "[::1]": "invalid port",
    "[::1]:": "invalid port",
    "143-": "invalid port",
    "-143": "invalid port",
    "143-65536": "invalid port",
    "*:143-144-145": "invalid port",
    "145-143": "invalid port range",
    "[::1]:2-1": "invalid port range",
    ":143": "no host",
    "[]:143": "no host",
    "[::1": "invalid host",
    "[::1]143": "invalid host",
    "192.0.2.1/24:143": "invalid host",
    "[fe80::zz]:143": "invalid IPv6 address",
    "[192.0.2.1]:143": "invalid IPv6 address",
    "unix:": "no path in the unix domain socket",
    [long]: "too long path in the unix domain socket",
  };
  for (const [text, what] of Object.entries(WRONG)) {
    test(`${text.slice(0, 30)} is refused`, () => {
      assert.equal(wrong(text), `${what} in "${text}" of the "listen" directive`);
    });
  }

  test("of any text is read, or is an error in nginx's form", () => {
    const part = fc.constantFrom(
      "[",
      "]",
      ":",
      "-",
      "*",
      "::1",
      "unix:",
      "1.2.3.4",
      "143",
      "0",
      "h",
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.join("");
        try {
          for (const { host, port } of listens(text)) {
            // "]" counts as a name, which the look-up will not find.
            assert.ok(host !== "" && !host.startsWith("["), host);
            assert.ok(host.startsWith("unix:") ? port === 0 : port >= 1 && port <= 65_535);
          }
        } catch (error) {
          assert.equal((error as Error).name, "ConfigError");
          assert.match((error as ConfigError).message, / in ".*" of the "listen" directive in /);
        }
      }),
      inputs(),
    );
  });
});

describe("a parameter", () => {
  const none = { idle: 0, interval: 0, count: 0 };
  const FORMS: Record<string, Partial<Listen>> = {
    "": { ssl: false, proxyProtocol: false, backlog: 1024, ipv6only: true, keepAlive: null },
    proxy_protocol: { proxyProtocol: true },
    bind: { ssl: false },
    "backlog=7": { backlog: 7 },
    "rcvbuf=8k sndbuf=1m": { backlog: 1024 },
    "ipv6only=on": { ipv6only: true },
    "ipv6only=off": { ipv6only: false },
    "so_keepalive=off": { keepAlive: null },
    "so_keepalive=on": { keepAlive: none },
    "so_keepalive=30m::10": { keepAlive: { idle: 1800, interval: 0, count: 10 } },
    "so_keepalive=1m": { keepAlive: { ...none, idle: 60 } },
    "so_keepalive=:15": { keepAlive: { ...none, interval: 15 } },
    "so_keepalive=1m30s:1M:3": { keepAlive: { idle: 90, interval: 2_592_000, count: 3 } },
    multipath: { keepAlive: null },
  };
  for (const [words, expected] of Object.entries(FORMS)) {
    test(`"${words}" is read as nginx reads it`, () => {
      const [found] = listens(`[::1]:143 ${words}`);
      assert.deepEqual({ ...found, ...expected }, found);
    });
  }

  const WRONG: Record<string, string> = {
    SSL: 'invalid parameter "SSL"',
    "ssl tls": 'invalid parameter "tls"',
    "ssl=on": 'invalid parameter "ssl=on"',
    reuseport: 'invalid parameter "reuseport"',
    constructor: 'invalid parameter "constructor"',
    "backlog=0": 'invalid backlog "backlog=0"',
    "backlog=-1": 'invalid backlog "backlog=-1"',
    "backlog=": 'invalid backlog "backlog="',
    "backlog=4294967297": 'invalid backlog "backlog=4294967297"',
    backlog: 'invalid parameter "backlog"',
    "rcvbuf=x": 'invalid rcvbuf "rcvbuf=x"',
    "rcvbuf=": 'invalid rcvbuf "rcvbuf="',
    "sndbuf=1g": 'invalid sndbuf "sndbuf=1g"',
    "ipv6only=oz": 'invalid ipv6only flags "oz"',
    "ipv6only=x": 'invalid parameter "ipv6only=x"',
    "so_keepalive=": 'invalid so_keepalive value: ""',
    "so_keepalive=yes": 'invalid so_keepalive value: "yes"',
    "so_keepalive=::": 'invalid so_keepalive value: "::"',
    "so_keepalive=0:0:0": 'invalid so_keepalive value: "0:0:0"',
    "so_keepalive=1m:x:3": 'invalid so_keepalive value: "1m:x:3"',
    "so_keepalive=100ms": 'invalid so_keepalive value: "100ms"',
    "so_keepalive=1m:2s:3s": 'invalid so_keepalive value: "1m:2s:3s"',
    "so_keepalive=1m:2s:3:4": 'invalid so_keepalive value: "1m:2s:3:4"',
  };
  for (const [words, message] of Object.entries(WRONG)) {
    test(`"${words}" is refused`, () => assert.equal(wrong(`143 ${words}`), message));
  }

  test("that Node cannot set gets a notice, each combination once", () => {
    const { notices } = configure(`mail { auth_http h; server {
      listen 143 rcvbuf=8k; listen 144 rcvbuf=16k; listen 145 backlog=5;
      listen 146 multipath sndbuf=8k; } }`);
    assert.deepEqual(
      notices.map((notice) => notice.replace(/\/\S*main/, "main")),
      [
        '"listen" ignores rcvbuf: Node cannot set this in main.conf:2',
        '"listen" ignores sndbuf and multipath: Node cannot set this in main.conf:3',
      ],
    );
  });
});

describe("the protocol", () => {
  const PORTS = {
    143: "imap",
    993: "imap",
    110: "pop3",
    995: "pop3",
    25: "smtp",
    465: "smtp",
    587: "smtp",
  };
  for (const [port, protocol] of Object.entries(PORTS)) {
    test(`is ${protocol} on port ${port}, without TLS`, () => {
      const { servers } = configure(`mail { auth_http h; server { listen ${port}; } }`);
      assert.equal(servers[0]?.protocol, protocol);
      assert.equal(servers[0]?.listen[0]?.ssl, false);
    });
  }

  test("of the directive overrides that of the port, and of ports the first known one applies", () => {
    assert.equal(server("protocol smtp;").protocol, "smtp");
    const of = (words: string) => configure(`mail { auth_http h; server { ${words} } }`);
    const known = of("listen 2143; listen 110; listen 143;");
    assert.equal(known.servers[0]?.protocol, "pop3");
    assert.equal(of("listen 100-120;").servers[0]?.protocol, "pop3");
  });

  test("of a unix socket must be named", () => {
    const told = mistake("mail { auth_http h;\nserver { listen unix:/143; } }");
    assert.equal(told, "unknown mail protocol for server in /conf/main.conf:2");
  });
});

describe("an address and port", () => {
  const TWICE: Record<string, string> = {
    "listen *:143; } server { protocol pop3;\nlisten 0.0.0.0:143;": "0.0.0.0:143",
    "listen 143;\nlisten *:143 proxy_protocol;": "0.0.0.0:143",
    "listen [::1]:143;\nlisten [0::0:1]:143;": "[::1]:143",
    "listen 142-144;\nlisten 143;": "0.0.0.0:143",
    "listen unix:/a;\nlisten unix:/a;": "unix:/a",
  };
  for (const [text, pair] of Object.entries(TWICE)) {
    test(`may stand once in the whole mail block: ${JSON.stringify(text)}`, () => {
      const told = mistake(`mail { auth_http h; server { protocol imap; ${text} } }`);
      assert.equal(told, `duplicate "${pair}" address and port pair in /conf/main.conf:2`);
    });
  }

  test("of IPv4 is an error beside a [::] that accepts IPv4 too", () => {
    for (const four of ["143", "127.0.0.1:143"]) {
      const told = mistake(`mail { auth_http h; server {
        listen ${four};
        listen [::]:143 ipv6only=off; } }`);
      assert.match(told, /^"\S+:143" is taken by "\[::\]:143" with ipv6only=off in \S+:2$/);
    }
    assert.equal(server("listen [::]:143; listen [::]:144 ipv6only=off;").listen.length, 3);
  });
});
