import assert from "node:assert/strict";
import { test } from "node:test";
import { configure, server } from "../../../support/proxy/configuration.ts";

test("a server's value overrides the mail block's, which overrides the default", () => {
  assert.equal(server("timeout 1s;", "timeout 2s;").timeout, 1000);
  assert.equal(server("", "timeout 2s;").timeout, 2000);
  assert.equal(server("").timeout, 60_000);
});

test("a server's value overrides the mail block's wherever that stands", () => {
  const { servers } = configure(
    "mail { server { listen 143; } server { listen 110; timeout 1s; } auth_http h; timeout 2s; }",
  );
  assert.deepEqual(
    servers.map(({ timeout }) => timeout),
    [2000, 1000],
  );
  assert.deepEqual(
    servers.map(({ auth_http }) => auth_http.host),
    ["h", "h"],
  );
});

test("a falsy value overrides an outer one", () => {
  assert.equal(server("timeout 0;", "timeout 2s;").timeout, 0);
  assert.equal(server("xclient off;", "xclient on;").xclient, false);
});

test("lists are replaced as a whole, and add up within a block", () => {
  const inMail =
    "imap_capabilities A B; imap_capabilities C; imap_auth plain login; auth_http_header X 1;";
  const inherited = server("", inMail);
  assert.deepEqual(inherited.imap_capabilities, ["A", "B", "C"]);
  const replaced = server("imap_capabilities D; imap_auth login; auth_http_header Y 2;", inMail);
  assert.deepEqual(replaced.imap_capabilities, ["D"]);
  assert.deepEqual(replaced.imap_auth, ["login"]);
  assert.deepEqual(replaced.auth_http_header, ["Y: 2"]);
});

test("a server with an error log of its own does not log to the outer ones", () => {
  const { servers } = configure(
    "error_log a; error_log b info; mail { auth_http h; server { listen 143; } server { listen 110; error_log stderr warn; } }",
  );
  assert.deepEqual(
    servers.map(({ error_log }) => error_log.map(({ level }) => level)),
    [["error", "info"], ["warn"]],
  );
});

test("directives of another protocol are allowed without effect", () => {
  assert.equal(server("pop3_auth plain; smtp_capabilities SIZE;").protocol, "imap");
});
