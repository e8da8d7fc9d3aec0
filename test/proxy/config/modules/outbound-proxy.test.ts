// Outbound proxies of the file, alone and beside Java's properties.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  type Configuration,
  type OutboundProxy,
  readConfiguration,
} from "../../../../proxy/config/index.ts";
import { answer, mailBlock, server } from "../../../support/proxy/configuration.ts";

const proxy = (
  scheme: OutboundProxy["scheme"],
  host: string,
  port: number,
  user?: string,
  password = "",
): OutboundProxy => ({
  scheme,
  host,
  port,
  credentials: user === undefined ? null : { user, password },
});

const URLS: Readonly<Record<string, OutboundProxy>> = {
  "http://proxy.local": proxy("http", "proxy.local", 80),
  "HTTP://Proxy.Local.:3128/": proxy("http", "proxy.local", 3128),
  "https://proxy.local": proxy("https", "proxy.local", 443),
  "https://192.0.2.1:8443": proxy("https", "192.0.2.1", 8443),
  "socks5://proxy.local": proxy("socks5", "proxy.local", 1080),
  "socks5h://[2001:DB8::1]:1081": proxy("socks5", "2001:db8::1", 1081),
  "http://münchen.example": proxy("http", "xn--mnchen-3ya.example", 80),
  "http://u:p@proxy:1": proxy("http", "proxy", 1, "u", "p"),
  "http://u@proxy": proxy("http", "proxy", 80, "u", ""),
  "http://u%40corp:p%3A%2f%20%C3%A9@proxy": proxy("http", "proxy", 80, "u@corp", "p:/ \xc3\xa9"),
  "http://u@corp:p/q@r@proxy": proxy("http", "proxy", 80, "u@corp", "p/q@r"),
  "socks5://é:p@proxy": proxy("socks5", "proxy", 1080, "\xc3\xa9", "p"),
};
for (const [url, meaning] of Object.entries(URLS)) {
  test(`${url} is a proxy for upstreams and for lookups`, () => {
    const { outbound } = server(`protocol imap; outbound_proxy ${url};`);
    assert.deepEqual(outbound, { clear: meaning, tls: meaning, bypass: [] });
    assert.deepEqual(server(`protocol imap; auth_http_proxy ${url};`).auth_http_proxy, meaning);
  });
}

test("by default there is none", () => {
  const { outbound, auth_http_proxy } = server("protocol imap;");
  assert.deepEqual(outbound, { clear: null, tls: null, bypass: [] });
  assert.equal(auth_http_proxy, null);
});

test("the innermost directive applies, and off means none", () => {
  const inMail = "outbound_proxy http://outer; outbound_proxy_bypass outer;";
  const inner = proxy("http", "inner", 80);
  const { outbound } = server("protocol imap; outbound_proxy http://inner;", inMail);
  assert.deepEqual(outbound, { clear: inner, tls: inner, bypass: ["outer"] });
  const off = server("protocol imap; outbound_proxy off;", inMail);
  assert.deepEqual(off.outbound, { clear: null, tls: null, bypass: ["outer"] });
});

test("patterns are words of their own, in several directives, or have | between them", () => {
  const patterns = "outbound_proxy_bypass localhost|127.0.0.0/8 [::1]; outbound_proxy_bypass *.x;";
  const { outbound } = server(`protocol imap; ${patterns}`, "outbound_proxy_bypass y;");
  assert.deepEqual(outbound.bypass, ["localhost", "127.0.0.0/8", "[::1]", "*.x"]);
  const none = server('protocol imap; outbound_proxy_bypass "";', "outbound_proxy_bypass y;");
  assert.deepEqual(none.outbound.bypass, []);
});

describe("credentials in a file", () => {
  const directives = "protocol imap; outbound_proxy http://proxy credentials=proxy.secret;";

  for (const text of ["u:p:q\xe9", "u:p:q\xe9\n", "u:p:q\xe9\r\n\r\n"]) {
    test(`are its only line: ${JSON.stringify(text)}`, () => {
      const { outbound } = server(directives, "", { "proxy.secret": Buffer.from(text, "latin1") });
      assert.deepEqual(outbound.clear, proxy("http", "proxy", 80, "u", "p:q\xe9"));
    });
  }

  for (const text of ["", "SECRET", "u:SECRET\nmore", "\nu:SECRET"]) {
    test(`are an error that quotes nothing of it: ${JSON.stringify(text)}`, () => {
      const told = answer(mailBlock(directives), { "proxy.secret": text });
      assert.equal(
        told.message,
        '"/conf/proxy.secret" must hold one line, USER:PASSWORD, in /conf/main.conf:1',
      );
    });
  }

  test("are an error for a missing file, or beside credentials in the URL", () => {
    assert.equal(
      answer(mailBlock(directives)).message,
      'open() of the file of "credentials=" failed (2: No such file or directory) in /conf/main.conf:1',
    );
    const both = "outbound_proxy http://u:SECRET@proxy credentials=x;";
    assert.equal(
      answer(mailBlock(both)).message,
      'credentials both in the URL and in a file in outbound_proxy "http://***@proxy" in /conf/main.conf:1',
    );
  });
});

const long = "x".repeat(256);

/** Mistakes with their errors. */
const MISTAKES: Readonly<Record<string, string>> = {
  "outbound_proxy proxy:3128": 'invalid URL in outbound_proxy "proxy:3128"',
  "outbound_proxy ftp://proxy": 'invalid URL in outbound_proxy "ftp://proxy"',
  "outbound_proxy constructor://proxy": 'invalid URL in outbound_proxy "constructor://proxy"',
  "outbound_proxy http://": 'no host in outbound_proxy "http://"',
  "outbound_proxy http://proxy/x": 'invalid URL in outbound_proxy "http://proxy/x"',
  "auth_http_proxy http://u:SECRET@": 'no host in auth_http_proxy "http://***@"',
  "outbound_proxy http://:80": 'no host in outbound_proxy "http://:80"',
  "outbound_proxy http://a..b": 'invalid host in outbound_proxy "http://a..b"',
  "outbound_proxy http://proxy:0": 'invalid port in outbound_proxy "http://proxy:0"',
  "outbound_proxy http://u:SECRET@proxy:x": 'invalid port in outbound_proxy "http://***@proxy:x"',
  "outbound_proxy http://[::zz]": 'invalid IPv6 address in outbound_proxy "http://[::zz]"',
  "outbound_proxy http://u:%ZZ@proxy":
    'a "%" without two hexadecimal digits in outbound_proxy "http://***@proxy"',
  "outbound_proxy 'http://u:S ECRET@proxy'":
    'a character that needs percent-encoding in outbound_proxy "http://***@proxy"',
  "outbound_proxy http://u%3A:SECRET@proxy":
    'a user name with a ":" (RFC 7617) in outbound_proxy "http://***@proxy"',
  "outbound_proxy socks5://u@proxy":
    'a user name or password that is not 1 to 255 bytes long in outbound_proxy "socks5://***@proxy"',
  [`outbound_proxy socks5://${long}:p@proxy`]:
    'a user name or password that is not 1 to 255 bytes long in outbound_proxy "socks5://***@proxy"',
  "outbound_proxy http://proxy user=x": 'invalid parameter in "outbound_proxy" directive',
  "outbound_proxy off credentials=x": 'invalid URL in outbound_proxy "off"',
  "outbound_proxy off; outbound_proxy off": '"outbound_proxy" directive is duplicate',
  "outbound_proxy_bypass a b*c": 'invalid pattern "b*c" in "outbound_proxy_bypass" directive',
  "outbound_proxi http://u:SECRET@proxy": 'unknown directive "outbound_proxi"',
};
for (const [directive, what] of Object.entries(MISTAKES)) {
  test(`the error about ${directive.slice(0, 60)} quotes no password`, () => {
    const { message, advice } = answer(mailBlock(`protocol imap; ${directive};`));
    assert.equal(message, `${what} in /conf/main.conf:1`);
    assert.doesNotMatch(`${message}${advice}`, /SECRET/);
  });
}

test("the error about a forgotten semicolon quotes no password either", () => {
  const { advice } = answer("mail {\n outbound_proxy http://u:SECRET@proxy\n}");
  assert.equal(advice, 'is the ";" missing behind "outbound_proxy http://u:***@proxy"?');
});

/** Reads a configuration with `-D` flags, each `name=value`. */
function configured(text: string, flags: readonly string[]): Configuration {
  const prefix = mkdtempSync(join(tmpdir(), "postern-"));
  try {
    writeFileSync(join(prefix, "mail.conf"), text);
    const place = { file: "command line", line: 0 };
    const properties = flags.map((flag) => {
      const [name = "", value = ""] = flag.split("=");
      return { name, value, place };
    });
    return readConfiguration({
      file: "mail.conf",
      prefix,
      globals: "",
      errorLog: null,
      properties,
    });
  } finally {
    rmSync(prefix, { recursive: true });
  }
}

describe("beside Java's properties", () => {
  const flags = [
    "mail.imap.proxy.host=clear",
    "mail.imaps.socks.host=tls",
    "mail.imap.proxy.nonProxyHosts=java",
  ];
  const clear = proxy("http", "clear", 80);
  const tls = proxy("socks5", "tls", 1080);
  const of = (directives: string): unknown =>
    configured(mailBlock(`protocol imap; ${directives}`), flags).settings.servers[0]?.outbound;

  test("a file without these directives leaves each protocol's properties as they are", () => {
    assert.deepEqual(of(""), { clear, tls, bypass: ["java"] });
    const [pop3] = configured(mailBlock("protocol pop3;"), flags).settings.servers;
    assert.deepEqual(pop3?.outbound, { clear: null, tls: null, bypass: [] });
  });

  test("each directive of the file overrides them", () => {
    const file = proxy("https", "file", 443);
    assert.deepEqual(of("outbound_proxy https://file;"), {
      clear: file,
      tls: file,
      bypass: ["java"],
    });
    assert.deepEqual(of("outbound_proxy off;"), { clear: null, tls: null, bypass: ["java"] });
    assert.deepEqual(of("outbound_proxy_bypass file;"), { clear, tls, bypass: ["file"] });
  });

  test("the error about a misspelt property has the place command line", () => {
    assert.throws(() => configured(mailBlock("protocol imap;"), ["mail.imap.proxi.host=x"]), {
      message: 'unknown property "mail.imap.proxi.host" in command line',
      advice: 'did you mean "mail.imap.proxy.host"?',
    });
  });
});

test("an endpoint behind a proxy may have a name that only the proxy can look up", () => {
  const names = (directives: string): readonly string[] =>
    configured(`mail { auth_http auth.example; ${directives} }`, []).names.map(({ host }) => host);
  const imap = "listen 143; protocol imap;";
  assert.deepEqual(names(`server { ${imap} }`), ["auth.example"]);
  assert.deepEqual(names(`auth_http_proxy http://proxy; server { ${imap} }`), []);
  assert.deepEqual(names(`auth_http_proxy http://proxy; server { ${imap} auth_http_proxy off; }`), [
    "auth.example",
  ]);
});
