// The properties of Open-Xchange's page about mail proxies, and mistakes in them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError, type OutboundRoutes } from "../../../../../proxy/config/index.ts";
import { Diagnostics } from "../../../../../proxy/config/language/diagnostics.ts";
import {
  type JavaRoutes,
  readArguments,
  readProperties,
} from "../../../../../proxy/config/sources/java/index.ts";

/** The page's blocks, letter by letter. */
const PROXIES = `# imap
-Dmail.imap.proxy.host=proxy.local
-Dmail.imap.proxy.port=3128
-Dmail.imaps.proxy.host=proxy.local
-Dmail.imaps.proxy.port=3128
# smtp
-Dmail.smtp.proxy.host=proxy.local
-Dmail.smtp.proxy.port=3128
-Dmail.smtps.proxy.host=proxy.local
-Dmail.smtps.proxy.port=3128
# pop
-Dmail.pop3.proxy.host=proxy.local
-Dmail.pop3.proxy.port=8080
-Dmail.pop3s.proxy.host=proxy.local
-Dmail.pop3s.proxy.port=8080"
`;
const HOSTS = `-Dmail.imap.proxy.nonProxyHosts=my.local.imap.server
-Dmail.smtp.proxy.nonProxyHosts=my.local.smtp.server
-Dmail.pop3.proxy.nonProxyHosts=my.local.pop3.server
`;
const COMPLEX = `-Dmail.imap.proxy.nonProxyHosts=localhost|127.0.0.0/8|[::1]|10.0.0.0/8|*.domain.com
-Dmail.smtp.proxy.nonProxyHosts=localhost|127.0.0.0/8|[::1]|10.0.0.0/8|*.domain.com
-Dmail.pop3.proxy.nonProxyHosts=localhost|127.0.0.0/8|[::1]|10.0.0.0/8|*.domain.com
`;

function read(text: string): JavaRoutes & { diagnostics: Diagnostics } {
  const diagnostics = new Diagnostics();
  const words = readArguments(text, "/ox.args", diagnostics.warnings);
  const properties = words.map(({ text: word, place }) => {
    const [, name = "", value = ""] = /^-D([^=]*)=?(.*)$/s.exec(word) ?? [];
    return { name, value, place };
  });
  return { ...readProperties(properties, diagnostics), diagnostics };
}

const at = (
  host: string,
  port: number,
  scheme: "http" | "socks5" = "http",
): OutboundRoutes["clear"] => ({
  scheme,
  host,
  port,
  credentials: null,
});

describe("the page's blocks", () => {
  test("give each protocol a proxy, with TLS and without, despite a stray quote", () => {
    const { imap, pop3, smtp, diagnostics } = read(PROXIES);
    const proxy = at("proxy.local", 3128);
    const other = at("proxy.local", 8080);
    assert.deepEqual(imap, { clear: proxy, tls: proxy, bypass: [] });
    assert.deepEqual(smtp, { clear: proxy, tls: proxy, bypass: [] });
    assert.deepEqual(pop3, { clear: other, tls: other, bypass: [] });
    const warning = "a quote is not closed and ends with its line in /ox.args:15";
    assert.deepEqual(diagnostics.warnings, [warning]);
    assert.deepEqual(diagnostics.notices, []);
  });

  test("list hosts without a proxy, alone or with the proxies", () => {
    for (const text of [HOSTS, PROXIES + HOSTS, HOSTS + PROXIES]) {
      const { imap, pop3, smtp } = read(text);
      assert.deepEqual(imap.bypass, ["my.local.imap.server"]);
      assert.deepEqual(pop3.bypass, ["my.local.pop3.server"]);
      assert.deepEqual(smtp.bypass, ["my.local.smtp.server"]);
    }
    const { imap } = read(HOSTS + COMPLEX);
    assert.deepEqual(imap.bypass, [
      "localhost",
      "127.0.0.0/8",
      "[::1]",
      "10.0.0.0/8",
      "*.domain.com",
    ]);
  });
});

describe("as Jakarta Mail has it,", () => {
  test("the default ports are 80 and 1080", () => {
    const { imap, smtp } = read("-Dmail.imap.proxy.host=p -Dmail.smtps.socks.host=s");
    assert.deepEqual(imap.clear, at("p", 80));
    assert.equal(imap.tls, null, "the variant with TLS is one of its own");
    assert.deepEqual(smtp.tls, at("s", 1080, "socks5"));
    assert.equal(smtp.clear, null);
  });

  test("a port may stand behind the host, and the port property overrides it", () => {
    assert.deepEqual(read("-Dmail.imap.proxy.host=p:3128").imap.clear, at("p", 3128));
    const both = "-Dmail.imap.socks.host=[2001:db8::1]:1081 -Dmail.imap.socks.port=1082";
    assert.deepEqual(read(both).imap.clear, at("2001:db8::1", 1082, "socks5"));
    assert.deepEqual(read("-Dmail.imap.proxy.host=2001:db8::1").imap.clear, at("2001:db8::1", 80));
  });

  test("the last of several applies, and an empty one counts as none", () => {
    const proxy = "-Dmail.imap.proxy.host=one -Dmail.imap.proxy.host=two";
    assert.deepEqual(read(proxy).imap.clear, at("two", 80));
    assert.equal(read(`${proxy} -Dmail.imap.proxy.host=`).imap.clear, null);
    assert.equal(read(`${proxy} -Dmail.imap.proxy.host`).imap.clear, null);
  });

  test("a web proxy is preferred to a SOCKS one, with a notice", () => {
    const { imap, diagnostics } = read("-Dmail.imap.socks.host=s\n-Dmail.imap.proxy.host=p");
    assert.deepEqual(imap.clear, at("p", 80));
    assert.deepEqual(diagnostics.notices, [
      '"mail.imap.socks.host" has no effect beside "mail.imap.proxy.host" in /ox.args:1',
    ]);
  });

  test("user and password are in UTF-8", () => {
    const { imap } = read(
      "-Dmail.imap.proxy.host=p -Dmail.imap.proxy.user=ü -Dmail.imap.proxy.password='ö #'",
    );
    assert.deepEqual(imap.clear?.credentials, { user: "\xc3\xbc", password: "\xc3\xb6 #" });
  });
});

/** Mistakes with their error and advice. */
const MISTAKES: Readonly<Record<string, readonly [what: string, advice: RegExp | null]>> = {
  "-Dmail.imap.proxy.hots=p": [
    'unknown property "mail.imap.proxy.hots" in /ox.args:1',
    /^did you mean "mail\.imap\.proxy\.host"\?$/,
  ],
  "-Dmail.imaps.proxy.nonProxyHosts=x": [
    'unknown property "mail.imaps.proxy.nonProxyHosts" in /ox.args:1',
    /^did you mean "mail\.imap\.proxy\.nonProxyHosts"\?$/,
  ],
  "-Dmail.IMAP.proxy.host=p": [
    'unknown property "mail.IMAP.proxy.host" in /ox.args:1',
    /"mail\.\w+\.proxy\.host"/,
  ],
  "\n\n-Dmail.debug=true": ['unknown property "mail.debug" in /ox.args:3', /mail\.PROTOCOL\.proxy/],
  "-Dmail.imap.proxy.port=1": [
    '"mail.imap.proxy.port" is given without "mail.imap.proxy.host" in /ox.args:1',
    /^add -Dmail\.imap\.proxy\.host=/,
  ],
  "-Dmail.pop3s.socks.port=1": [
    '"mail.pop3s.socks.port" is given without "mail.pop3s.socks.host" in /ox.args:1',
    /^add -Dmail\.pop3s\.socks\.host=/,
  ],
  "-Dmail.imap.proxy.host=p\n-Dmail.imap.proxy.user=u": [
    '"mail.imap.proxy.user" is given without "mail.imap.proxy.password" in /ox.args:2',
    /^add -Dmail\.imap\.proxy\.password=/,
  ],
  "-Dmail.imap.proxy.host=p\n-Dmail.imap.proxy.password=SECRET": [
    '"mail.imap.proxy.password" is given without "mail.imap.proxy.user" in /ox.args:2',
    /^add -Dmail\.imap\.proxy\.user=/,
  ],
  "-Dmail.imap.proxy.host=p -Dmail.imap.proxy.user=a:b -Dmail.imap.proxy.password=SECRET": [
    'a user name with a ":" (RFC 7617) in "mail.imap.proxy.user" in /ox.args:1',
    null,
  ],
  "-Dmail.imap.proxy.host=p -Dmail.imap.proxy.port=65536": [
    'invalid port "65536" in "mail.imap.proxy.port" in /ox.args:1',
    null,
  ],
  "-Dmail.imap.proxy.host=p -Dmail.imap.proxy.port=http": [
    'invalid port "http" in "mail.imap.proxy.port" in /ox.args:1',
    null,
  ],
  "-Dmail.imap.proxy.host=http://u:SECRET@p:3128": [
    'invalid port "***@p:3128" in "mail.imap.proxy.host" in /ox.args:1',
    /not a URL$/,
  ],
  "-Dmail.imap.proxy.host=u:SECRET@p": [
    'invalid port "***@p" in "mail.imap.proxy.host" in /ox.args:1',
    /not a URL$/,
  ],
  "-Dmail.imap.proxy.host='a b'": [
    'invalid host "a b" in "mail.imap.proxy.host" in /ox.args:1',
    /a name or an address/,
  ],
  "-Dmail.imap.proxy.nonProxyHosts=a|b*c": [
    'invalid pattern "b*c" in "mail.imap.proxy.nonProxyHosts" in /ox.args:1',
    null,
  ],
};
for (const [text, [what, advice]] of Object.entries(MISTAKES)) {
  test(`${JSON.stringify(text)} gets an error and advice`, () => {
    assert.throws(
      () => read(text),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.message, what);
        if (advice === null) assert.equal(error.advice, null);
        else assert.match(error.advice ?? "", advice);
        return true;
      },
    );
  });
}

test("other properties get a notice without their values", () => {
  const { diagnostics } = read("-Dfoo.password=SECRET\n-Dmailbox.host=x\n-Dmail=y");
  assert.deepEqual(diagnostics.notices, [
    '"-Dfoo.password" has no effect: Postern reads only Java\'s mail.* properties in /ox.args:1',
    '"-Dmailbox.host" has no effect: Postern reads only Java\'s mail.* properties in /ox.args:2',
    '"-Dmail" has no effect: Postern reads only Java\'s mail.* properties in /ox.args:3',
  ]);
});
