// Configurations with mistakes.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { readConfiguration } from "../../../proxy/config/index.ts";
import { ConfigError } from "../../../proxy/config/language/error.ts";
import { inputs } from "../../support/property.ts";
import { Share, mutated } from "./mutation.ts";

const folder = mkdtempSync(join(tmpdir(), "postern-"));
after(() => rmSync(folder, { recursive: true }));

const MAIL = [
  "server_name mx.example.test;",
  "timeout 60s;",
  "proxy_timeout 1h;",
  "proxy_buffer 4k;",
  'imap_capabilities IMAP4rev1 "ID";',
  "imap_auth plain login cram-md5;",
  "pop3_auth plain apop;",
  "smtp_auth plain none;",
  "proxy_pass_error_message on;",
  "auth_http_header X-Auth-Key 'k\\'ey';",
  "auth_http_timeout 5s;",
  "auth_http_cache on entries=10;",
  "limit_conn_zone $remote_addr zone=c:1m;",
  "limit_conn c 4;",
  "limit_login_rate 5r/m burst=3;",
  "set_real_ip_from 192.0.2.0/24;",
  "resolver 192.0.2.53 valid=30s;",
  "outbound_proxy http://u:p@192.0.2.8:3128;",
  "outbound_proxy_bypass *.example.test 10.0.0.0/8;",
  "access_log /dev/null json;",
  "max_errors 5;",
  "xclient off;",
  "# a comment; with { braces }",
] as const;

const SERVER = [
  "listen 127.0.0.1:1143 proxy_protocol;",
  "listen [::1]:1144 so_keepalive=on;",
  "protocol imap;",
  "protocol pop3;",
  "starttls off;",
  "proxy_protocol on;",
  "proxy_next_upstream on;",
  "error_log /dev/null info;",
] as const;

const some = (lines: readonly string[], most: number): fc.Arbitrary<string> =>
  fc.uniqueArray(fc.constantFrom(...lines), { maxLength: most }).map((all) => all.join("\n  "));

const configuration = fc
  .tuple(some(MAIL, 6), some(SERVER, 3), fc.constantFrom("", "events { }", "http { a b; c { d } }"))
  .map(
    ([mail, server, other]) =>
      `worker_processes 2;\n${other}\nmail {\n  auth_http 127.0.0.1:9000/auth;\n  ${mail}\n` +
      `  server {\n  listen 143;\n  protocol imap;\n  ${server}\n  }\n}\n`,
  );

test("a configuration is read, or its first mistake is named with file and line", (t) => {
  const file = join(folder, "mail.conf");
  const share = new Share();
  fc.assert(
    fc.property(mutated(configuration), (text) => {
      writeFileSync(file, text, "latin1");
      try {
        const { settings } = readConfiguration({
          file,
          prefix: folder,
          globals: "",
          errorLog: null,
        });
        assert.ok(settings.servers.length > 0);
        share.count(true);
      } catch (error) {
        assert.ok(error instanceof ConfigError, String((error as Error).stack));
        assert.match(error.message, /mail\.conf:\d+$/);
        share.count(false);
      }
    }),
    inputs(5),
  );
  share.assertAbove(0.25, t);
});
