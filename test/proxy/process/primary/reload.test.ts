// SIGHUP: the new configuration serves, and sessions go on.
import assert from "node:assert/strict";
import { once } from "node:events";
import { access, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { eventually } from "../../../support/eventually.ts";
import { greeted, loggedIn, untilClosed } from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { assertAtWork, isRefused, logOut, Stream } from "../clients.ts";
import { type Service, serve } from "../service.ts";

const { imap, smtp } = inTheClear;
const ended = /worker process (\d+) exited with code 0/;

describe("a reload", { concurrency: 4 }, () => {
  test("lets the new configuration serve, and ends the old one", async (t) => {
    const { program, edit, ports, workers } = await serve(t, { smtp });
    const [old] = await workers(1);
    const bystander = await greeted("smtp", ports.smtp);
    await edit("mx.example.test", "new.example.test");
    program.signal("SIGHUP");
    assert.match((await untilClosed(bystander)).join("\n"), /^421 4\.3\.2 .*$/);
    assert.equal(await name(ports.smtp), "new.example.test");
    const [exit] = await program.logs(ended);
    assert.equal(exit?.[1], `${old}`);
  });

  test("lets logged-in sessions go on, also through a second reload", async (t) => {
    const { program, edit, ports, workers } = await serve(t, { imap, smtp });
    const [old] = await workers(1);
    const session = await loggedIn("imap", ports.imap);
    for (const word of ["second", "third"]) {
      const bystander = await greeted("smtp", ports.smtp);
      await edit(/server_name \S+;/, `server_name ${word}.example.test;`);
      program.signal("SIGHUP");
      await untilClosed(bystander);
      await assertAtWork(session);
    }
    assert.equal(await name(ports.smtp), "third.example.test");
    await logOut(session);
    const exits = await program.logs(ended, 2);
    assert.ok(exits.some(([, pid]) => pid === `${old}`));
  });

  test("refuses no connection, however many come meanwhile", async (t) => {
    const { program, edit, ports } = await serve(t, { smtp });
    const stream = new Stream(ports.smtp, 8);
    for (let count = 1; count <= 5; count++) {
      await stream.reaches(count * 80);
      await edit(/server_name \S+;/, `server_name number${count}.example.test;`);
      program.signal("SIGHUP");
      await program.logs(ended, count);
    }
    await stream.stop();
    assert.equal(await name(ports.smtp), "number5.example.test");
  });

  test("ends an old session after worker_shutdown_timeout, and no other", async (t) => {
    const { program, ports } = await serve(t, { imap }, "worker_shutdown_timeout 100ms;");
    const session = await loggedIn("imap", ports.imap);
    program.signal("SIGHUP");
    assert.deepEqual(await untilClosed(session), []);
    const next = await loggedIn("imap", ports.imap);
    await program.logs(ended);
    await assertAtWork(next);
    next.end();
  });

  test("waits for a slow worker, and for its replacement where it dies", async (t) => {
    const { program, ports, workers } = await serve(t, { smtp });
    const [old] = await workers(1);
    const bystander = await greeted("smtp", ports.smtp);
    program.signal("SIGHUP");
    const fresh = await newWorker(program.pid!, old!);
    process.kill(fresh, "SIGSTOP");
    assert.equal(await name(ports.smtp), "mx.example.test", "the old one has left too early");
    process.kill(fresh, "SIGKILL");
    assert.match((await untilClosed(bystander)).join("\n"), /^421 /);
    assert.equal((await program.logs(ended))[0]?.[1], `${old}`);
    assert.equal(await name(ports.smtp), "mx.example.test");
  });

  test("listens on the new addresses and no longer on the old ones", async (t) => {
    const { program, edit, ports } = await serve(t, { imap, smtp });
    const [fresh = 0] = await freePorts(1);
    await edit(`127.0.0.1:${ports.imap}`, `127.0.0.1:${fresh}`);
    program.signal("SIGHUP");
    await program.listening([fresh]);
    await program.logs(ended);
    assert.ok(await isRefused(ports.imap));
    for (const [protocol, port] of [
      ["imap", fresh],
      ["smtp", ports.smtp],
    ] as const) {
      (await greeted(protocol, port)).end();
    }
  });

  test("takes back an address that the reload before has not closed yet", async (t) => {
    const { program, edit, ports, workers } = await serve(t, { imap, smtp });
    const [old] = await workers(1);
    const [other] = await freePorts(1);
    await edit(`127.0.0.1:${ports.imap};`, `127.0.0.1:${other};`);
    program.signal("SIGHUP");
    const slow = await newWorker(program.pid!, old!);
    process.kill(slow, "SIGSTOP");
    await edit(`127.0.0.1:${other};`, `127.0.0.1:${ports.imap};`);
    program.signal("SIGHUP");
    await workers(2);
    process.kill(slow, "SIGCONT");
    await program.logs(ended, 2);
    (await greeted("imap", ports.imap)).end();
    assert.doesNotMatch(program.stderr, /\[emerg\]/);
  });

  test("may use an address for another server, and moves the pid file", async (t) => {
    const { program, edit, file, ports } = await serve(t, { imap });
    await edit("protocol imap;", "protocol pop3;");
    await edit("pid nginx.pid;", "pid other.pid;");
    program.signal("SIGHUP");
    await program.logs(ended);
    (await greeted("pop3", ports.imap)).end();
    assert.equal(await readFile(file("other.pid"), "utf8"), `${program.pid}\n`);
    await assert.rejects(access(file("nginx.pid")), { code: "ENOENT" });
  });

  test("reads the last version of the file where another reload is still running", async (t) => {
    const { program, edit, ports } = await serve(t, { smtp });
    for (let count = 1; count <= 4; count++) {
      await edit(/server_name \S+;/, `server_name number${count}.example.test;`);
      program.signal("SIGHUP");
      await program.logs(/SIGHUP. received, reconfiguring/, count);
    }
    const old = new Set(
      ["mx", "number1", "number2", "number3"].map((one) => `${one}.example.test`),
    );
    const exits = () => program.stderr.match(/exited with code 0/g)?.length ?? 0;
    let gone = exits();
    let called = await name(ports.smtp);
    while (called !== undefined && old.has(called)) {
      await program.logs(ended, gone + 1);
      gone = exits();
      called = await name(ports.smtp);
    }
    assert.equal(called, "number4.example.test");
  });

  test("may change the number of workers", async (t) => {
    const { program, edit, workers } = await serve(t, { imap }, "worker_processes 1;");
    await workers(1);
    await edit("worker_processes 1;", "worker_processes 3;");
    program.signal("SIGHUP");
    await workers(4);
    await program.logs(ended);
    assert.equal(program.stderr.match(/start worker process/g)?.length, 4);
  });
});

test("a reload that fails is logged, and nothing changes:", async (t) => {
  const service = await serve(t, { smtp });
  const file = service.file("mail.conf");
  const good = await readFile(file, "utf8");
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const { port: taken } = other.address() as AddressInfo;
  const [fresh = 0] = await freePorts(1);
  await writeFile(service.file("other.pem"), "no certificate");

  const line = good.split("\n").findIndex((text) => text.includes("protocol smtp;")) + 1;
  const mistakes: readonly (readonly [what: string, directives: string, complaint: RegExp])[] = [
    ["a mistake", "wonder on;", new RegExp(`unknown directive "wonder".* in ${file}:${line}$`)],
    ["a file that is missing", "include missing.conf;", /open\(\) "\S+missing\.conf" failed \(2: /],
    [
      "an endpoint without an address",
      "auth_http nowhere.invalid;",
      new RegExp(`host not found in auth_http "nowhere.invalid" in ${file}:${line}$`),
    ],
    [
      "a certificate that is none",
      "starttls on; ssl_certificate other.pem; ssl_certificate_key key.pem;",
      /cannot load certificate "\S+other\.pem"/,
    ],
    [
      "ciphers that OpenSSL does not know",
      "starttls on; ssl_ciphers WONDER;",
      new RegExp(`SSL_CTX_set_cipher_list\\("WONDER"\\) failed .* in ${file}:\\d+$`),
    ],
    [
      "an address that another program has",
      `listen 127.0.0.1:${fresh}; listen 127.0.0.1:${taken};`,
      /still could not bind\(\)$/,
    ],
    [
      "a log file that cannot be opened",
      "error_log missing/error.log;",
      /open\(\) "\S+missing\/error\.log" failed \(2: /,
    ],
  ];
  for (const [what, directives, complaint] of mistakes) {
    await t.test(what, async () => {
      await writeFile(file, good.replace("protocol smtp;", `protocol smtp; ${directives}`));
      await assertUnmoved(service, complaint);
    });
  }

  await t.test("a pid file that cannot be written", async () => {
    const listening = good.replace("protocol smtp;", `protocol smtp; listen 127.0.0.1:${fresh};`);
    await writeFile(file, listening.replace("pid nginx.pid;", "pid missing/nginx.pid;"));
    await assertUnmoved(service, /missing\/nginx\.pid/);
  });

  await t.test("the next reload succeeds, on the addresses of the failed ones", async () => {
    assert.ok(await isRefused(fresh));
    const next = good.replace("protocol smtp;", `protocol smtp; listen 127.0.0.1:${fresh};`);
    await writeFile(file, next.replace("server_name mx.", "server_name new."));
    service.program.signal("SIGHUP");
    await service.program.logs(ended);
    assert.equal(await name(service.ports.smtp), "new.example.test");
    assert.equal(await name(fresh), "new.example.test");
  });
});

/** The name of the new server; an old server that ends is asked again. */
async function name(port: number): Promise<string | undefined> {
  return eventually("a server that does not end answers", async () => {
    const wire = await greeted("smtp", port);
    wire.write("HELO x\r\nQUIT\r\n");
    const [hello] = await untilClosed(wire);
    return hello?.startsWith("421 ") !== true && hello?.replace(/^250 /, "");
  });
}

/** The pid of a worker as soon as there is one besides the old one. */
async function newWorker(primary: number, old: number): Promise<number> {
  return eventually("there is a new worker", async () => {
    const children = await readFile(`/proc/${primary}/task/${primary}/children`, "utf8");
    for (const pid of children.trim().split(" ").map(Number)) {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      if (pid !== old && environment.includes("NODE_UNIQUE_ID=")) return pid;
    }
    return null;
  });
}

/** Asserts that a failed reload changes nothing for sessions, new clients and the pid file. */
async function assertUnmoved(
  { program, ports, file }: Service<"smtp">,
  complaint: RegExp,
): Promise<void> {
  const session = await greeted("smtp", ports.smtp);
  program.signal("SIGHUP");
  await program.logs(new RegExp(` \\[emerg\\] .*${complaint.source}`));
  session.write("HELO x\r\n");
  assert.equal(await session.line(), "250 mx.example.test");
  session.end();
  assert.equal(await name(ports.smtp), "mx.example.test");
  assert.equal(program.stderr.match(/start worker process/g)?.length, 1);
  assert.equal(await readFile(file("nginx.pid"), "utf8"), `${program.pid}\n`);
}
