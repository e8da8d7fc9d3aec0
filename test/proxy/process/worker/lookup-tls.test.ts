// Lookups over https:// by a worker process: its authorities, and its certificate.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { chain, issue } from "../../../support/certificates/authority.ts";
import { anna, greeted, temporary } from "../../../support/peers/mail-client.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { startServers } from "../../../support/programs/servers.ts";

test("a worker trusts the system's authorities, and shows auth_http_ssl_certificate", async (t) => {
  const authority = issue("/CN=authority", { ca: true });
  const own = issue("/CN=localhost", { by: authority, names: "DNS:localhost" });
  const client = issue("/CN=proxy", { by: authority });
  const shown: string[] = [];
  const endpoint = createServer(
    {
      cert: own.certificate,
      key: own.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    ({ socket }, reply) => {
      const { subject } = (socket as TLSSocket).getPeerCertificate();
      shown.push(String(subject.CN));
      reply.writeHead(503, { "Content-Length": 0 }).end();
    },
  ).listen(0, "127.0.0.1");
  await once(endpoint, "listening");
  t.after(() => endpoint.close());
  const { port } = endpoint.address() as AddressInfo;
  const { path, remove } = await makeScratch();
  t.after(remove);
  await writeFile(join(path, "ca.crt"), authority.certificate);
  await writeFile(join(path, "client.pem"), chain(client).certificate + client.key);
  process.env["SSL_CERT_FILE"] = join(path, "ca.crt");
  t.after(() => delete process.env["SSL_CERT_FILE"]);

  const pair = `auth_http_ssl_certificate ${path}/client.pem; auth_http_ssl_certificate_key ${path}/client.pem;`;
  const servers = await startServers(`auth_http https://localhost:${port}/;`, {
    with: `listen 127.0.0.1:PORT; protocol imap; ${pair}`,
    without: "listen 127.0.0.1:PORT; protocol imap;",
  });
  t.after(() => servers.stop());
  for (const at of [servers.ports.with, servers.ports.without]) {
    const wire = await greeted("imap", at);
    wire.write(`a LOGIN ${anna.login} ${anna.password}\r\n`);
    assert.match(await wire.line(), temporary.imap);
    wire.end();
  }
  assert.deepEqual(shown, ["proxy"]);
});
