import assert from "node:assert/strict";
import { hostname } from "node:os";
import { describe, test } from "node:test";
import { seconds } from "../../../../proxy/config/language/values.ts";
import { configure, mailBlock, mistake, server } from "../../../support/proxy/configuration.ts";

const TIMES: Record<string, number | null> = {
  "0": 0,
  "90": 90_000,
  "1s": 1000,
  "500ms": 500,
  "2m": 120_000,
  "1h": 3_600_000,
  "1d": 86_400_000,
  "1w": 604_800_000,
  "1h30m": 5_400_000,
  '"1h 30m"': 5_400_000,
  "1h30": 3_630_000,
  "1w2d3h4m5s6ms": 604_800_000 + 2 * 86_400_000 + 3 * 3_600_000 + 4 * 60_000 + 5006,
  "1m1h": null,
  "1s1s": null,
  "30 1h": null,
  '"30 1h"': null,
  "1y": null,
  "1M": null,
  "1S": null,
  "-1": null,
  "1.5s": null,
  s: null,
  ms: null,
  '""': null,
  "99999999999999999999": null,
};
for (const [text, ms] of Object.entries(TIMES)) {
  test(`the time ${text} is ${ms === null ? "refused" : `${ms} ms`}`, () => {
    if (ms !== null) assert.equal(server(`timeout ${text};`).timeout, ms);
    else assert.match(mistake(mailBlock(`timeout ${text};`)), /"timeout" directive/);
  });
}

const SIZES: Record<string, number | null> = {
  "0": 0,
  "4096": 4096,
  "8k": 8192,
  "8K": 8192,
  "1m": 1_048_576,
  "1M": 1_048_576,
  "1g": null,
  "1kb": null,
  k: null,
  "-1": null,
  "1.5k": null,
  "99999999999999999999": null,
};
for (const [text, bytes] of Object.entries(SIZES)) {
  test(`the size ${text} is ${bytes === null ? "refused" : `${bytes} bytes`}`, () => {
    if (bytes !== null)
      assert.equal(server(`imap_client_buffer ${text};`).imap_client_buffer, bytes);
    else {
      const told = mistake(mailBlock(`imap_client_buffer ${text};`));
      assert.equal(told, '"imap_client_buffer" directive invalid value in /conf/main.conf:1');
    }
  });
}

for (const [word, value] of [
  ["on", true],
  ["ON", true],
  ["Off", false],
  ["off", false],
] as const) {
  test(`the flag ${word} is ${value}`, () => {
    assert.equal(server(`xclient ${word};`).xclient, value);
  });
}

test("words that go to a peer keep the file's bytes", () => {
  const settings = server(
    'auth_http 127.0.0.1/\u00fc; server_name m\u00fc; imap_capabilities \u20ac; auth_http_header X "\u00fc";',
  );
  assert.equal(settings.auth_http.uri, "/\xc3\xbc");
  assert.equal(settings.server_name, "m\xc3\xbc");
  assert.deepEqual(settings.imap_capabilities, ["\xe2\x82\xac"]);
  assert.deepEqual(settings.auth_http_header, ["X: \xc3\xbc"]);
  const [log] = server("error_log m\u00fc.log;").error_log;
  assert.ok(log !== undefined && "path" in log.destination);
  assert.match(log.destination.path, /\/m\u00fc\.log$/);
});

test("a capability that stands twice in the file stands twice in the list", () => {
  const { imap_capabilities } = server("imap_capabilities A A; imap_capabilities A;");
  assert.equal(imap_capabilities.join(), "A,A,A");
});

const SECONDS: Record<string, number | null> = {
  "5": 5,
  "1y": 31_536_000,
  "1M": 2_592_000,
  "1y1M1w1d1h1m1s": 31_536_000 + 2_592_000 + 604_800 + 86_400 + 3661,
  "1m 30": 90,
  "1M1y": null,
  "5ms": null,
  "": null,
};
for (const [text, expected] of Object.entries(SECONDS)) {
  test(`the time ${JSON.stringify(text)} in seconds is ${expected ?? "refused"}`, () => {
    assert.equal(seconds(text), expected ?? Number.NaN);
  });
}

test("words of a list may have any case, and are sorted in nginx's order", () => {
  assert.deepEqual(server("imap_auth LOGIN Plain;").imap_auth, ["plain", "login"]);
  assert.deepEqual(server("imap_auth login; imap_auth plain;").imap_auth, ["plain", "login"]);
  assert.equal(server("starttls OFF;").starttls, "off");
});

test("the defaults are nginx's", () => {
  const settings = server("");
  const { timeout, max_errors, auth_http_timeout, proxy_timeout, xclient, starttls } = settings;
  assert.deepEqual(
    { timeout, max_errors, auth_http_timeout, proxy_timeout, xclient, starttls },
    {
      timeout: 60_000,
      max_errors: 5,
      auth_http_timeout: 60_000,
      proxy_timeout: 86_400_000,
      xclient: true,
      starttls: "off",
    },
  );
  assert.deepEqual(settings.imap_capabilities, ["IMAP4", "IMAP4rev1", "UIDPLUS"]);
  assert.deepEqual(settings.pop3_capabilities, ["TOP", "USER", "UIDL"]);
  assert.deepEqual(settings.smtp_auth, ["plain", "login"]);
  assert.deepEqual(settings.imap_auth, ["plain"]);
  assert.equal(settings.proxy_pass_error_message, false);
  assert.equal(settings.proxy_smtp_auth, false);
  assert.equal(settings.server_name, hostname().toLowerCase());
  assert.equal(server('server_name "";').server_name, hostname().toLowerCase());
  assert.equal(configure(mailBlock("")).worker_processes, 1);
});

describe("auth_http", () => {
  const URLS: Record<string, [host: string, port: number, uri: string, header: string]> = {
    "http://127.0.0.1:9000/auth": ["127.0.0.1", 9000, "/auth", "127.0.0.1"],
    "127.0.0.1:9000/auth": ["127.0.0.1", 9000, "/auth", "127.0.0.1"],
    "http://auth.example": ["auth.example", 80, "/", "auth.example"],
    "auth.example/a?b=c&d%20e": ["auth.example", 80, "/a?b=c&d%20e", "auth.example"],
    "http://[::1]:9000/": ["::1", 9000, "/", "[::1]"],
    "http://host?q": ["host", 80, "?q", "host"],
    "http://unix:/run/auth.sock:/auth?q": ["unix:/run/auth.sock", 0, "/auth?q", "localhost"],
    "unix:auth.sock": ["unix:auth.sock", 0, "/", "localhost"],
    "UNIX:/run/auth.sock:": ["unix:/run/auth.sock", 0, "/", "localhost"],
    "unix:/run/auth.sock:/a:b": ["unix:/run/auth.sock", 0, "/a:b", "localhost"],
  };
  for (const [url, [host, port, uri, hostHeader]] of Object.entries(URLS)) {
    test(`${url} is read as nginx reads it`, () => {
      const { servers } = configure(`mail { auth_http ${url}; server { listen 143; } }`);
      const found = servers[0]!.auth_http;
      assert.deepEqual(
        [found.host, found.port, found.uri, found.hostHeader],
        [host, port, uri, hostHeader],
      );
    });
  }

  test("the last of several applies, and headers keep their order", () => {
    const { servers } = configure(
      'mail { auth_http a; auth_http b; auth_http_header X-A "1 2"; auth_http_header X-B ""; server { listen 143; } }',
    );
    assert.equal(servers[0]?.auth_http.host, "b");
    assert.deepEqual(servers[0]?.auth_http_header, ["X-A: 1 2", "X-B: "]);
  });
});

test("relative paths of pid and error_log begin at the prefix", () => {
  const settings = configure(`pid run/pid; error_log log info; ${mailBlock("")}`);
  const prefix = settings.file.replace(/\/conf\/main\.conf$/, "");
  assert.equal(settings.pid, `${prefix}/run/pid`);
  assert.deepEqual(settings.error_log, [{ destination: { path: `${prefix}/log` }, level: "info" }]);
});

test("auth_http_cache keeps 10,000 answers unless entries= says otherwise", () => {
  assert.equal(server("").auth_http_cache, null);
  assert.equal(server("auth_http_cache off;").auth_http_cache, null);
  assert.deepEqual(server("auth_http_cache on;").auth_http_cache, { entries: 10_000 });
  assert.deepEqual(server("auth_http_cache on entries=5;").auth_http_cache, { entries: 5 });
});

test("a mail block may hold a relay without servers, with the directives of its lookups", () => {
  const settings = configure(
    "mail { auth_http https://w.test/auth; auth_http_timeout 5s; auth_http_relay [::1]:8080; }",
  );
  assert.deepEqual(settings.servers, []);
  const { listen, auth_http, auth_http_timeout, lookupTls } = settings.relay!;
  assert.deepEqual([listen.host, listen.port], ["::1", 8080]);
  assert.deepEqual([auth_http.host, auth_http_timeout], ["w.test", 5000]);
  assert.notEqual(lookupTls, null);
});
