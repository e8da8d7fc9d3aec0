// A start that fails says why in a sentence, and leaves nothing behind.
import assert from "node:assert/strict";
import { once } from "node:events";
import { access, readFile } from "node:fs/promises";
import { type AddressInfo, type Server, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { greeted } from "../../../support/peers/mail-client.ts";
import { posternEntry } from "../../../support/real-servers/index.ts";
import { Program } from "../../../support/programs/program.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { isRefused } from "../clients.ts";
import { serve } from "../service.ts";
import { makeSite, postern, refusedStart, start } from "../site.ts";

/** Has a port of its own until the test is over. */
async function otherProgram(t: TestContext): Promise<Server> {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  return other;
}

/** @param server directives of a server that would otherwise start */
async function configuration(main: string, server = ""): Promise<{ port: number; text: string }> {
  const [port = 0] = await freePorts(1);
  const text = `${main}\n${mailBlock(server)}`.replace("listen 143;", `listen 127.0.0.1:${port};`);
  return { port, text: text.replace(" } }", " protocol imap; } }") };
}

describe("a start", { concurrency: 4 }, () => {
  test("the pid file holds the primary's pid and a line end, and is removed at its end", async (t) => {
    const { program, file } = await serve(t, inTheClear);
    assert.equal(await readFile(file("nginx.pid"), "utf8"), `${program.pid}\n`);
    assert.equal(await program.stop(), 0);
    await assert.rejects(access(file("nginx.pid")), { code: "ENOENT" });
  });

  test("without a pid directive, the pid file is logs/nginx.pid where there is a logs directory", async (t) => {
    const { text } = await configuration("");
    const site = await makeSite(t, { "mail.conf": text, "logs/error.log": "" });
    const program = start(t, site, "-g", "error_log stderr notice;");
    await program.logs(/start worker process/);
    assert.equal(await readFile(join(site, "logs/nginx.pid"), "utf8"), `${program.pid}\n`);
  });

  test("a pid file that cannot be written is named, and nothing listens", async (t) => {
    const { text, port } = await configuration("pid missing/nginx.pid;");
    const site = await makeSite(t, { "mail.conf": text });
    const { end, stderr } = await refusedStart(t, site);
    assert.equal(end, 1);
    assert.match(stderr, new RegExp(`^postern: \\[emerg\\] .*${site}/missing/nginx\\.pid.*\n$`));
    assert.ok(await isRefused(port));
  });

  test("an error log that cannot be opened is named", async (t) => {
    const { text, port } = await configuration("error_log missing/error.log;");
    const site = await makeSite(t, { "mail.conf": text });
    const { end, stderr } = await refusedStart(t, site);
    assert.equal(end, 1);
    assert.match(stderr, new RegExp(`^postern: \\[emerg\\] .*${site}/missing/error\\.log.*\n$`));
    assert.ok(await isRefused(port));
  });

  test("five attempts are made for a port of another program, and no pid file is left", async (t) => {
    const { port } = (await otherProgram(t)).address() as AddressInfo;
    const { text } = await configuration("pid nginx.pid;", `listen 127.0.0.1:${port};`);
    const site = await makeSite(t, { "mail.conf": text });
    const { end, stderr } = await refusedStart(t, site);
    assert.equal(end, 1);
    const failed = `bind() to 127.0.0.1:${port} failed (98: Address already in use)`;
    assert.equal(stderr.split(failed).length - 1, 5, stderr);
    assert.equal(stderr.split("[notice]").length - 1, 4, stderr);
    assert.match(stderr, /try again to bind\(\) after 500ms\n/);
    assert.match(stderr, /\npostern: \[emerg\] still could not bind\(\)\n$/);
    await assert.rejects(access(join(site, "nginx.pid")), { code: "ENOENT" });
  });

  test("a port in use is reported at the terminal as well as in the log file", async (t) => {
    const { port } = (await otherProgram(t)).address() as AddressInfo;
    const { text } = await configuration("error_log error.log;", `listen 127.0.0.1:${port};`);
    const site = await makeSite(t, { "mail.conf": text });
    const { end, stderr } = await postern(site);
    assert.equal(end, 1);
    const failed = `[emerg] bind() to 127.0.0.1:${port} failed (98: Address already in use)`;
    assert.ok(stderr.startsWith(`postern: ${failed}\n`), stderr);
    assert.ok((await readFile(join(site, "error.log"), "utf8")).includes(failed.slice(8)));
  });

  test("a port that another program closes meanwhile is bound", async (t) => {
    const other = await otherProgram(t);
    const { port } = other.address() as AddressInfo;
    const { text } = await configuration("", `listen 127.0.0.1:${port};`);
    const site = await makeSite(t, { "mail.conf": text });
    const program = start(t, site, "-g", "error_log stderr notice;");
    await program.logs(/try again to bind/);
    other.close();
    await program.logs(/start worker process/);
    (await greeted("imap", port)).end();
  });

  test("an address of another machine is reported at once", async (t) => {
    const { text } = await configuration("", "listen 192.0.2.1:14300;");
    const site = await makeSite(t, { "mail.conf": text });
    const complaint =
      "postern: [emerg] bind() to 192.0.2.1:14300 failed (99: Cannot assign requested address)\n";
    assert.deepEqual(await refusedStart(t, site), { end: 1, stderr: complaint });
    const { end, stderr } = await postern(site, "-t");
    assert.equal(end, 1);
    assert.ok(stderr.includes(complaint), stderr);
  });

  test("a second Postern of the same configuration leaves the first one alone", async (t) => {
    const { program, file, ports, proxy } = await serve(t, { imap: inTheClear.imap });
    const { end, stderr } = await refusedStart(t, proxy.directory);
    assert.equal(end, 1);
    assert.match(stderr, /\[emerg\] \S+ bind\(\) to \S+ failed/);
    assert.equal(await readFile(file("nginx.pid"), "utf8"), `${program.pid}\n`);
    (await greeted("imap", ports.imap)).end();
  });

  test("-t succeeds while a Postern runs from the same file", async (t) => {
    const { program, file, proxy } = await serve(t, { imap: inTheClear.imap });
    assert.equal((await postern(proxy.directory, "-t")).end, 0);
    assert.equal(await readFile(file("nginx.pid"), "utf8"), `${program.pid}\n`);
  });

  test("a missing certificate is named, and nothing listens", async (t) => {
    const tls = "starttls on; ssl_certificate missing.pem; ssl_certificate_key key.pem;";
    const { text, port } = await configuration("", tls);
    const site = await makeSite(t, { "mail.conf": text });
    const { end, stderr } = await refusedStart(t, site);
    assert.equal(end, 1);
    assert.match(stderr, new RegExp(`^postern: \\[emerg\\] .*"${site}/missing\\.pem".*\n$`));
    assert.ok(await isRefused(port));
  });

  test("-e names the error log of a configuration that has none", async (t) => {
    const { text } = await configuration("");
    const site = await makeSite(t, { "mail.conf": text });
    const { end, stderr } = await postern(site, "-e", "missing/error.log");
    assert.equal(end, 1);
    assert.match(stderr, new RegExp(`${site}/missing/error\\.log`));
  });

  test("without arguments, conf/nginx.conf of the current directory is read", async (t) => {
    const { text, port } = await configuration("error_log stderr notice;");
    const cwd = await makeSite(t, { "conf/nginx.conf": text });
    const program = new Program(process.execPath, [posternEntry], { cwd });
    t.after(() => program.stop());
    await program.listening([port]);
    (await greeted("imap", port)).end();
  });
});
