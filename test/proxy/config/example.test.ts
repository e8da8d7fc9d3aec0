// A whole configuration with directives of every kind.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadCertificates } from "../../../proxy/certificates/load.ts";
import { readConfiguration } from "../../../proxy/config/index.ts";
import { atOnce } from "../../../proxy/slices.ts";
import { writeCertificate } from "../../support/certificates/certificate.ts";
import { makeScratch } from "../../support/programs/scratch.ts";

const EXAMPLE = `
user  ${userInfo().username};
worker_processes  auto;
pid  /run/mailproxy.pid;
error_log  /var/log/mailproxy/error.log info;
error_log  syslog:server=unix:/dev/log,facility=mail,tag=mailproxy warn;
worker_shutdown_timeout  30s;

events { worker_connections  4096; }

mail {
    server_name  mx.example.org;
    auth_http  http://127.0.0.1:9000/auth;
    auth_http_header  X-Auth-Key "s3cret";
    proxy_pass_error_message  on;

    ssl_certificate      certificate.pem;      # relative to the directory of this file
    ssl_certificate_key  key.pem;
    ssl_session_cache    shared:mail:10m;

    imap_capabilities  IMAP4rev1 UIDPLUS IDLE "QUOTA";
    server { listen 143; listen [::]:143; starttls only; }          # protocol imap by port
    server { listen 993 ssl; protocol imap; }
    server { listen 110; starttls on; pop3_auth plain apop; }
    server { listen 587 proxy_protocol; set_real_ip_from 10.0.0.0/8; starttls only; smtp_auth plain login; xclient off; }
    server { listen 25; smtp_auth none; smtp_capabilities "SIZE 20971520" PIPELINING; resolver 192.0.2.53; smtp_greeting_delay 2s; }
    include  mail.d/*.conf;
}
`;

test("every line of a whole configuration is read", async (t) => {
  const { path: prefix, remove } = await makeScratch();
  t.after(remove);
  await writeCertificate(prefix);
  await mkdir(join(prefix, "mail.d"));
  await writeFile(join(prefix, "nginx.conf"), EXAMPLE);
  await writeFile(join(prefix, "mail.d/more.conf"), "server { listen 995 ssl; }");
  const source = { file: "nginx.conf", prefix, globals: "", errorLog: null };
  const { servers, error_log, warnings } = atOnce(
    loadCertificates(readConfiguration(source), null),
  );
  assert.deepEqual(
    servers.map(({ protocol, listen, starttls }) => [protocol, listen.length, starttls]),
    [
      ["imap", 2, "only"],
      ["imap", 1, "off"],
      ["pop3", 1, "on"],
      ["smtp", 1, "only"],
      ["smtp", 1, "off"],
      ["pop3", 1, "off"],
    ],
  );
  assert.deepEqual(
    error_log.map(({ level }) => level),
    ["info", "warn"],
  );
  assert.deepEqual(warnings, []);
  const [imap] = servers;
  assert.deepEqual(imap?.imap_capabilities, ["IMAP4rev1", "UIDPLUS", "IDLE", "QUOTA"]);
  assert.deepEqual(imap?.auth_http_header, ["X-Auth-Key: s3cret"]);
});
