// Certificates that are renewed while Postern runs as root and its workers as nobody.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { type ConnectionOptions, type TLSSocket, connect } from "node:tls";
import { issue, pairFiles } from "../../../support/certificates/authority.ts";
import type { Certificate } from "../../../support/certificates/certificate.ts";
import { CertificateFiles } from "../../../support/certificates/certificate-folder.ts";
import { eventually } from "../../../support/eventually.ts";
import { greetedSecurely } from "../../../support/peers/mail-client.ts";
import { posternEntry, startPostern } from "../../../support/real-servers/index.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { Program } from "../../../support/programs/program.ts";
import { scrapeUntil } from "../../../support/programs/status.ts";
import { makeSite, postern } from "../site.ts";

const authority = issue("/CN=authority", { ca: true });
const named = (name: string, serial: string, days = 30): Certificate =>
  issue(`/CN=${name}`, { by: authority, names: `DNS:${name}`, serial, days });
const a = named("a.test", "0xa1");
const newA = named("a.test", "0xa2");
const b = named("b.test", "0xb1");

async function serve(t: TestContext, directives: string, main = "", more = "") {
  const [port = 0, status = 0] = await freePorts(2);
  const proxy = await startPostern(`
    error_log stderr notice;
    ${main}
    events {}
    mail {
      auth_http 127.0.0.1:9;
      status_listen 127.0.0.1:${status};
      server { listen 127.0.0.1:${port} ssl; protocol imap; ${directives} }
      ${more}
    }
  `);
  t.after(() => proxy.stop());
  return { port, status, program: proxy.program };
}

async function secured(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const client = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(client, "secureConnect");
  return client;
}

/** The serial number of the certificate for a client that names that host, or none. */
async function shown(port: number, servername = ""): Promise<string> {
  const client = await secured(port, { servername });
  const { serialNumber } = client.getPeerCertificate();
  client.destroy();
  return serialNumber;
}

/** Connects repeatedly until the certificate has that serial number. */
async function shownAtLast(port: number, serialNumber: string, servername = ""): Promise<void> {
  await eventually(
    `a client gets the certificate ${serialNumber}`,
    async () => (await shown(port, servername)) === serialNumber,
  );
}

for (const main of ["worker_processes 2;", "master_process off;"]) {
  test(`with ${main} the next client gets a certificate that certbot has renewed, and a client that is there stays`, async (t) => {
    const files = new CertificateFiles(t);
    for (const [name, pair] of Object.entries({ "a.test": a, "b.test": b })) {
      files.certbot(name, pair, authority.certificate);
    }
    const { port, program, status } = await serve(
      t,
      `ssl_certificate_dir ${files.file("live")};`,
      main,
    );
    const wire = await greetedSecurely("imap", port);
    assert.deepEqual(
      [await shown(port), await shown(port, "a.test"), await shown(port, "b.test")],
      ["A1", "A1", "B1"],
    );
    files.certbot("a.test", newA, authority.certificate);
    await program.logs(/\[notice\] .* "\S+\/live\/a\.test\/fullchain\.pem" is now in service/);
    await shownAtLast(port, "A2");
    await shownAtLast(port, "A2", "a.test");
    assert.equal(await shown(port, "b.test"), "B1");
    wire.write("a NOOP\r\n");
    assert.match(await wire.line(), /^a OK/);
    wire.end();
    await scrapeUntil(status, (samples) =>
      samples.some(
        ({ name, labels }) =>
          name === "postern_certificate_expiry_timestamp_seconds" && labels["serial"] === "A2",
      ),
    );
  });
}

test("a client that names a host for the first time after the renewal gets the new certificate from any worker", async (t) => {
  const files = new CertificateFiles(t);
  files.certbot("a.test", a, authority.certificate);
  files.certbot("b.test", named("b.test", "0xb0"), authority.certificate);
  const dir = `ssl_certificate_dir ${files.file("live")};`;
  const { port, program } = await serve(t, dir, "worker_processes 2;");
  files.certbot("b.test", b, authority.certificate);
  await program.logs(/live\/b\.test\/fullchain\.pem" is now in service/);
  await shownAtLast(port, "B1", "b.test");
  // A worker that replaces another one has it from the start.
  const [[, worker] = []] = await program.logs(/start worker process (\d+)/, 2);
  process.kill(Number(worker), "SIGKILL");
  await program.logs(/start worker process (\d+)/, 3);
  for (let count = 0; count < 8; count++) assert.equal(await shown(port, "b.test"), "B1");
});

test("openssl verifies the certificate for each name, with its chain", async (t) => {
  const files = new CertificateFiles(t);
  const between = issue("/CN=between", { ca: true, by: authority });
  const leaf = issue("/CN=x", { by: between, names: "DNS:*.c.test" });
  files.write("ca.pem", authority.certificate);
  files.certbot("a.test", a);
  files.certbot("c.test", leaf, between.certificate);
  const { port } = await serve(t, `ssl_certificate_dir ${files.file("live")};`);
  const verified = (host: string): string =>
    spawnSync(
      "openssl",
      [
        "s_client",
        "-connect",
        `127.0.0.1:${port}`,
        "-servername",
        host,
        "-verify_hostname",
        host,
        "-CAfile",
        files.file("ca.pem"),
      ],
      { input: "a LOGOUT\r\n", encoding: "latin1" },
    ).stdout;
  assert.match(verified("mail.c.test"), /Verify return code: 0 \(ok\)/);
  assert.match(verified("c.test"), /Verify return code: 62 /);
});

test("a pair that is half written is refused by name, and the old pair stays until it is complete", async (t) => {
  const files = new CertificateFiles(t);
  files.write("a.crt", a.certificate);
  files.write("a.key", a.key);
  const { port, program } = await serve(
    t,
    `ssl_certificate ${files.file("a.crt")}; ssl_certificate_key ${files.file("a.key")};`,
  );
  files.write("a.crt", newA.certificate.slice(0, 300));
  await program.logs(
    /\[error\] .* cannot load certificate "\S+\/a\.crt": PEM_.* the old certificate stays in use/,
  );
  assert.equal(await shown(port), "A1");
  files.write("a.crt", newA.certificate);
  await program.logs(
    /\[error\] .* SSL_CTX_use_PrivateKey\("\S+\/a\.key"\) failed .*key values mismatch/,
  );
  assert.equal(await shown(port), "A1");
  files.write("a.key", newA.key);
  await program.logs(/certificate "\S+\/a\.crt" is now in service/);
  await shownAtLast(port, "A2");
});

test("each server shows its own certificate, and servers with the same directives are renewed together", async (t) => {
  const files = new CertificateFiles(t);
  files.write("a.pem", a.certificate + a.key);
  files.write("b.pem", b.certificate + b.key);
  const pair = (name: string): string =>
    `ssl_certificate ${files.file(name)}; ssl_certificate_key ${files.file(name)};`;
  const [other = 0, third = 0] = await freePorts(2);
  const { port, program } = await serve(
    t,
    pair("a.pem"),
    "",
    `server { listen 127.0.0.1:${other} ssl; protocol pop3; ${pair("a.pem")} }
     server { listen 127.0.0.1:${third} ssl; protocol pop3; ${pair("b.pem")} }`,
  );
  files.write("a.pem", newA.certificate + newA.key);
  await program.logs(/a\.pem" is now in service/);
  await shownAtLast(port, "A2");
  await shownAtLast(other, "A2");
  assert.equal(await shown(third), "B1");
});

test("new ticket keys reach all workers, and tickets of old keys are no longer valid", async (t) => {
  const [port = 0] = await freePorts(1);
  const pair = pairFiles({ a });
  const site = await makeSite(t, {
    ...pair,
    // The replacement that is due every 12 hours happens on a signal.
    "hasty.mjs": `const later = globalThis.setInterval;
      globalThis.setInterval = (work, ms) =>
        ms === 43_200_000 ? (process.on("SIGURG", work), later(() => {}, ms)) : later(work, ms);`,
    "mail.conf": `error_log stderr notice; worker_processes 2; events {} mail {
      auth_http 127.0.0.1:9; ssl_certificate a.crt; ssl_certificate_key a.key;
      server { listen 127.0.0.1:${port} ssl; protocol imap; } }`,
  });
  const program = new Program(
    process.execPath,
    ["--import", join(site, "hasty.mjs"), posternEntry, "-p", site, "-c", "mail.conf"],
    { env: process.env },
  );
  t.after(() => program.stop());
  await program.listening([port]);
  const visit = async (session?: Buffer): Promise<{ resumed: boolean; session: Buffer }> => {
    const client = await secured(port, { maxVersion: "TLSv1.2", ...(session && { session }) });
    const seen = { resumed: client.isSessionReused(), session: client.getSession()! };
    client.destroy();
    return seen;
  };
  const { session } = await visit();
  for (let count = 0; count < 8; count++) assert.equal((await visit(session)).resumed, true);
  await eventually("a session is not resumed", async () => {
    program.signal("SIGURG");
    return !(await visit(session)).resumed;
  });
});

describe("a certificate that expires within 14 days", () => {
  const config =
    "mail { auth_http 127.0.0.1:9; server { listen 127.0.0.1:PORT ssl; protocol imap; CERT } }";
  const own = "ssl_certificate one.pem; ssl_certificate_key one.pem;";
  const LAST: Readonly<Record<string, readonly [days: number, said: RegExp | null]>> = {
    "in 13 days": [
      13,
      /^postern: \[warn\] certificate "\S+one\.pem" expires at \d{4}-\d\d-\d\dT\S+Z$/m,
    ],
    "since yesterday": [
      -1,
      /^postern: \[warn\] certificate "\S+one\.pem" expired at \d{4}-\d\d-\d\dT\S+Z$/m,
    ],
    "in 15 days": [15, null],
  };
  for (const [when, [days, said]] of Object.entries(LAST)) {
    for (const directives of [own, "ssl_certificate_dir .;"]) {
      test(`(${when}) is warned of by -t with ${directives}`, async (t) => {
        const [port = 0] = await freePorts(1);
        const { certificate, key } = named("a.test", "1", days);
        const site = await makeSite(t, {
          "one.pem": certificate + key,
          "mail.conf": config.replace("PORT", `${port}`).replace("CERT", directives),
        });
        const { end, stderr } = await postern(site, "-t");
        assert.equal(end, 0);
        if (said === null) assert.doesNotMatch(stderr, /\[warn\]/);
        else assert.match(stderr, said);
      });
    }
  }

  test("is warned of in the log, also if it is added while Postern runs", async (t) => {
    const files = new CertificateFiles(t);
    files.write("a.pem", a.certificate + a.key);
    const { program } = await serve(t, `ssl_certificate_dir ${files.path};`);
    const soon = named("a.test", "0xa3", 3);
    files.write("a.pem", soon.certificate + soon.key);
    await program.logs(/\[warn\] .* certificate "\S+\/a\.pem" expires at /);
  });
});
