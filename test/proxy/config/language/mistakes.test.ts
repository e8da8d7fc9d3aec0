import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, mailBlock, mistake } from "../../../support/proxy/configuration.ts";

const AT = "in /conf/main.conf";

/** Configurations with nginx's error about the first mistake. */
const MISTAKES: Record<string, string> = {
  "foo bar;": `unknown directive "foo"`,
  "constructor x;": `unknown directive "constructor"`,
  "__proto__ x;": `unknown directive "__proto__"`,
  "mail { foo; }": `unknown directive "foo"`,
  "timeout 1s;": `"timeout" directive is not allowed here ${AT}:1`,
  "server { }": `"server" directive is not allowed here ${AT}:1`,
  "mail { listen 143; }": `"listen" directive is not allowed here ${AT}:1`,
  "mail { events {} }": `"events" directive is not allowed here ${AT}:1`,
  "mail { server { server {} } }": `"server" directive is not allowed here ${AT}:1`,
  "mail { worker_processes 2; }": `"worker_processes" directive is not allowed here ${AT}:1`,
  "events { timeout 1s; }": `"timeout" directive is not allowed here ${AT}:1`,
  "mail { timeout; }": `invalid number of arguments in "timeout" directive ${AT}:1`,
  "mail { timeout 1s 2s; }": `invalid number of arguments in "timeout" directive ${AT}:1`,
  "mail { auth_http_header x; }": `invalid number of arguments in "auth_http_header" directive ${AT}:1`,
  "mail { server x { } }": `invalid number of arguments in "server" directive ${AT}:1`,
  "mail { imap_auth; }": `invalid number of arguments in "imap_auth" directive ${AT}:1`,
  "include;": `invalid number of arguments in "include" directive ${AT}:1`,
  "include a b;": `invalid number of arguments in "include" directive ${AT}:1`,
  "mail { timeout 1s { } }": `directive "timeout" is not terminated by ";" ${AT}:1`,
  "include x { }": `directive "include" is not terminated by ";" ${AT}:1`,
  "mail;": `directive "mail" has no opening "{" ${AT}:1`,
  "mail { server; }": `directive "server" has no opening "{" ${AT}:1`,
  "mail { } }": `unexpected "}" ${AT}:1`,
  "mail { timeout 1s }": `unexpected "}" ${AT}:1`,
  ";": `unexpected ";" ${AT}:1`,
  "{": `unexpected "{" ${AT}:1`,
  "mail {\n": `unexpected end of file, expecting "}" ${AT}:2`,
  "mail {\n server { listen 143;\n }\n": `unexpected end of file, expecting "}" ${AT}:4`,
  "mail {\ntimeout 1s ": `unexpected end of file, expecting ";" or "}" ${AT}:2`,
  "http {} http {}": `"http" directive is duplicate ${AT}:1`,
  "rtmp { server {": `unexpected end of file, expecting "}" ${AT}:1`,
  "http {": `unexpected end of file, expecting "}" ${AT}:1`,
  "mail { timeout 1s;\ntimeout 2s; }": `"timeout" directive is duplicate ${AT}:2`,
  "events {} events {}": `"events" directive is duplicate ${AT}:1`,
  "mail {}\nmail {}": `"mail" directive is duplicate ${AT}:2`,
  "pid a; pid b;": `"pid" directive is duplicate ${AT}:1`,
  "worker_processes 0;": "worker_processes",
  "worker_processes two;": `"worker_processes" directive invalid value ${AT}:1`,
  "mail { starttls maybe; }": `invalid value "maybe" ${AT}:1`,
  "mail { imap_auth plain ntlm; }": `invalid value "ntlm" ${AT}:1`,
  "mail { pop3_auth login; }": `invalid value "login" ${AT}:1`,
  "mail { xclient yes; }": `invalid value "yes" in "xclient" directive, it must be "on" or "off" ${AT}:1`,
  "mail { server { protocol IMAP; } }": `unknown protocol "IMAP" ${AT}:1`,
  "mail {\nresolver off; resolver 192.0.2.53; }": `"resolver" directive is duplicate ${AT}:2`,
  "mail { resolver 192.0.2.53 ipv4=; }": `invalid parameter: ipv4= ${AT}:1`,
  "mail { resolver 192.0.2.53 ipv4=off ipv6=off; }": `"ipv4" and "ipv6" cannot both be "off" ${AT}:1`,
  "mail { resolver valid=1s; }": `no name servers defined ${AT}:1`,
  "error_log stderr loud;": `invalid log level "loud" ${AT}:1`,
  "mail { auth_http_cache maybe; }": `invalid value "maybe" in "auth_http_cache" directive, it must be "on" or "off" ${AT}:1`,
  "mail { auth_http_cache on entries=0; }": `invalid parameter "entries=0" ${AT}:1`,
  "mail { auth_http_cache on entries=1000001; }": `invalid parameter "entries=1000001" ${AT}:1`,
  "mail { auth_http_cache on size=1; }": `invalid parameter "size=1" ${AT}:1`,
  "mail { auth_http_cache off entries=1; }": `invalid parameter "entries=1" ${AT}:1`,
  "mail { auth_http_relay 192.0.2.1:80; }": `"192.0.2.1:80" is not a loopback address in "auth_http_relay" directive ${AT}:1`,
  "mail { auth_http_relay localhost:80; }": `"localhost:80" is not a loopback address in "auth_http_relay" directive ${AT}:1`,
  "mail { auth_http_relay 127.0.0.1; }": `invalid port in "auth_http_relay" directive ${AT}:1`,
  "mail { server { listen 143; auth_http_relay 127.0.0.1:80; } }": `"auth_http_relay" directive is not allowed here ${AT}:1`,
  "mail { auth_http_relay 127.0.0.1:80; }": `no "auth_http" is defined for "auth_http_relay" ${AT}:1`,
  "mail { auth_http 127.0.0.1:80; auth_http_relay 127.0.0.1:80; }": `"auth_http_relay" would forward lookups to itself ${AT}:1`,
  "mail { auth_http a.test; auth_http_relay [::1]:80; server { listen [::1]:80; protocol imap; } }": `duplicate "[::1]:80" address and port pair ${AT}:1`,
  "mail { auth_http http:///x; }": `no host in auth_http "/x" ${AT}:1`,
  "mail { auth_http :80; }": `no host in auth_http ":80" ${AT}:1`,
  "mail { auth_http []; }": `no host in auth_http "[]" ${AT}:1`,
  "mail { auth_http [::zz]; }": `invalid IPv6 address in auth_http "[::zz]" ${AT}:1`,
  "mail { auth_http [::1; }": `invalid host in auth_http "[::1" ${AT}:1`,
  "mail { auth_http [::1]80; }": `invalid host in auth_http "[::1]80" ${AT}:1`,
  "mail { auth_http 127.0.0.1:80-81; }": `invalid port in auth_http "127.0.0.1:80-81" ${AT}:1`,
  "mail { auth_http http://unix:; }": `no path in the unix domain socket in auth_http "unix:" ${AT}:1`,
  "mail { auth_http unix::/uri; }": `no path in the unix domain socket in auth_http "unix::/uri" ${AT}:1`,
  [`mail { auth_http unix:/${"a".repeat(107)}; }`]: `too long path in the unix domain socket in auth_http "unix:/${"a".repeat(107)}" ${AT}:1`,
  "mail { auth_http https://unix:/auth; }": `invalid port in auth_http "unix:/auth" ${AT}:1`,
  "mail { auth_http host:http/x; }": `invalid port in auth_http "host:http/x" ${AT}:1`,
  "mail { auth_http host:65536; }": `invalid port in auth_http "host:65536" ${AT}:1`,
  "mail {\n server {\n auth_http h;\n protocol imap;\n }\n}": `no "listen" is defined for server ${AT}:2`,
  "mail {\n\n server { listen 143; } }": `no "auth_http" is defined for server ${AT}:3`,
  "mail {\n auth_http h;\n server { listen 1143; } }": `unknown mail protocol for server ${AT}:3`,
};
for (const [text, message] of Object.entries(MISTAKES)) {
  test(`${JSON.stringify(text)} gets nginx's error`, () => {
    const told = mistake(text);
    if (message.includes(" in ")) assert.equal(told, message);
    else assert.ok(told.startsWith(message) || told.includes(message), told);
    assert.match(told, / in \/conf\/main\.conf:\d+$/);
  });
}

const TYPOS: Record<string, string> = {
  auth_htpp: "auth_http",
  timout: "timeout",
  ssl_certificat: "ssl_certificate",
  starttsl: "starttls",
  Timeout: "timeout",
};
for (const [typo, meant] of Object.entries(TYPOS)) {
  test(`the error about ${typo} suggests ${meant}`, () => {
    const told = answer(`mail {\n  ${typo} x;\n}`);
    assert.equal(told.message, `unknown directive "${typo}" ${AT}:2`);
    assert.equal(told.advice, `did you mean "${meant}"?`);
  });
}

for (const text of ["wibble;", "mail { wibble 1; }", "worker_connectoins_limit_of_mine 7;"]) {
  test(`${JSON.stringify(text)} resembles no directive and gets no advice`, () => {
    assert.equal(answer(text).advice, null);
  });
}

const ADVICE: Record<string, string> = {
  "mail {\n timeout 1s\n}": 'is the ";" missing behind "timeout 1s"?',
  "mail {\n server {\n listen 143;\n}\n": 'the "{" in /conf/main.conf:1 is not closed',
  "mail { starttls onyl; }": '"starttls" takes off, on, only',
  "mail { ssl_protocols TLS1.2; }":
    '"ssl_protocols" takes SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3',
  "http {\n server {\n": 'the "{" in /conf/main.conf:1 is not closed',
};
for (const [text, advice] of Object.entries(ADVICE)) {
  test(`${JSON.stringify(text)} gets the advice: ${advice}`, () => {
    const told = answer(text);
    assert.equal(told.advice?.replace(/\/\S*\/conf/, "/conf"), advice);
  });
}

test("a suggestion is allowed in the block of the mistake", () => {
  assert.equal(answer("timout 1s;").advice, null);
});

test("a block of the main context with almost the name of ours is an error", () => {
  for (const [typo, meant] of [
    ["mial", "mail"],
    ["Mail", "mail"],
    ["event", "events"],
  ]) {
    const told = answer(`${typo} { }`);
    assert.equal(told.message, `unknown directive "${typo}" ${AT}:1`);
    assert.equal(told.advice, `did you mean "${meant}"?`);
  }
});

test("the first mistake is reported, whatever the others are", () => {
  assert.match(mistake('events {}\nfoo;\nmail { timeout 1x; "'), /unknown directive "foo".*:2$/);
});

test("an empty file is an error", () => {
  assert.match(mistake(""), /mail/);
  assert.match(mistake("mail { }"), /server/);
  assert.ok(mailBlock("").length > 0);
});
