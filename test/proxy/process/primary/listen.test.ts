// Listening sockets as clients, and the file system, find them.
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { eventually } from "../../../support/eventually.ts";
import { attempt, granted, greeted } from "../../../support/peers/mail-client.ts";
import { freePortRange, freePorts } from "../../../support/programs/ports.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { Wire } from "../../../support/peers/wire.ts";
import { assertAtWork, isRefused } from "../clients.ts";
import { serve } from "../service.ts";
import { makeSite, postern, refusedStart } from "../site.ts";

const ended = /worker process (\d+) exited with code 0/;
const skip =
  process.platform === "linux" &&
  networkInterfaces()["lo"]?.some(({ family }) => family === "IPv6") === true
    ? false
    : "wants Linux with IPv6";

/** The first line of the server there. */
async function greeting(to: { host: string; port: number } | { path: string }): Promise<string> {
  const wire = new Wire(connect(to));
  const line = await wire.line();
  wire.end();
  return line;
}

/** Counts the sockets that listen on a port, of IPv4 and IPv6. */
function listening(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, "utf8").split("\n"),
  );
  return lines.filter((line) => {
    const [, address, , state] = line.trim().split(/\s+/);
    return address?.endsWith(local) === true && state === "0A";
  }).length;
}

async function socketPath(t: TestContext): Promise<string> {
  const { path, remove } = await makeScratch();
  t.after(remove);
  return join(path, "mail.sock");
}

describe("all addresses and one of them on one port", { skip, concurrency: 3 }, () => {
  test("share one socket and lead to their own servers", async (t) => {
    const [port = 0] = await freePorts(1);
    const { program, workers, edit } = await serve(t, {
      imap: `listen 127.0.0.2:${port} backlog=5; protocol imap;`,
      pop3: `listen *:${port}; protocol pop3;`,
      smtp: `listen 127.0.0.3:${port}; listen 127.0.0.4:${port}; protocol smtp;`,
    });
    await workers(1);
    assert.equal(listening(port), 1);
    const GREETINGS = { 1: /^\+OK/, 2: /^\* OK/, 3: /^220 /, 4: /^220 /, 5: /^\+OK/ };
    for (const [last, said] of Object.entries(GREETINGS)) {
      assert.match(await greeting({ host: `127.0.0.${last}`, port }), said);
    }
    await edit(`127.0.0.2:${port}`, `127.0.0.5:${port}`);
    program.signal("SIGHUP");
    await program.logs(ended);
    assert.match(await greeting({ host: "127.0.0.2", port }), /^\+OK/);
    assert.match(await greeting({ host: "127.0.0.5", port }), /^\* OK/);
  });

  test("share a socket for IPv4 and another one for IPv6", async (t) => {
    const [port = 0] = await freePorts(1);
    const { workers } = await serve(t, {
      imap: `listen [::]:${port}; protocol imap;`,
      pop3: `listen [0:0::1]:${port}; listen 127.0.0.1:${port}; protocol pop3;`,
    });
    await workers(1);
    assert.equal(listening(port), 2);
    assert.match(await greeting({ host: "::1", port }), /^\+OK/);
    assert.match(await greeting({ host: "127.0.0.1", port }), /^\+OK/);
  });

  test("share one socket for both families with ipv6only=off", async (t) => {
    const [port = 0] = await freePorts(1);
    const { workers } = await serve(t, {
      imap: `listen [::]:${port} ipv6only=off; protocol imap;`,
      pop3: `listen [::ffff:127.0.0.2]:${port}; protocol pop3;`,
    });
    await workers(1);
    assert.match(await greeting({ host: "::1", port }), /^\* OK/);
    assert.match(await greeting({ host: "127.0.0.1", port }), /^\* OK/);
    assert.match(await greeting({ host: "127.0.0.2", port }), /^\+OK/);
  });
});

test("a range of ports has a socket for each port", async (t) => {
  const first = await freePortRange(3);
  const { workers } = await serve(t, {
    imap: `listen 127.0.0.1:${first}-${first + 2}; protocol imap;`,
  });
  await workers(1);
  for (const port of [first, first + 1, first + 2]) (await greeted("imap", port)).end();
  assert.ok(await isRefused(first + 3));
});

describe("a unix socket", { concurrency: 3 }, () => {
  for (const signal of ["SIGTERM", "SIGQUIT"] as const) {
    test(`may be used by every user, and is removed on ${signal}`, async (t) => {
      const path = await socketPath(t);
      const { program, workers } = await serve(t, {
        imap: `listen unix:${path}; protocol imap;`,
      });
      await workers(1);
      assert.equal(statSync(path).mode & 0o7777, 0o666);
      const wire = new Wire(connect(path));
      await wire.line();
      assert.match(await attempt("imap", wire), granted.imap);
      wire.end();
      assert.equal(await program.stop(signal), 0);
      assert.ok(!existsSync(path));
    });
  }

  test("is removed again when another address fails at the start", async (t) => {
    const path = await socketPath(t);
    const text = mailBlock("").replace(
      "listen 143;",
      `listen unix:${path}; listen 192.0.2.1:14300; protocol imap;`,
    );
    const site = await makeSite(t, { "mail.conf": text });
    assert.equal((await refusedStart(t, site)).end, 1);
    assert.ok(!existsSync(path));
  });

  test("stays open through a reload that has it, and is removed by a reload without it", async (t) => {
    const path = await socketPath(t);
    const { program, edit, workers } = await serve(t, {
      imap: `listen unix:${path}; ${inTheClear.imap}`,
    });
    await workers(1);
    const { ino } = statSync(path);
    program.signal("SIGHUP");
    await program.logs(ended);
    assert.equal(statSync(path).ino, ino);

    const session = new Wire(connect(path));
    await session.line();
    assert.match(await attempt("imap", session), granted.imap);
    await edit(`listen unix:${path};`, "");
    program.signal("SIGHUP");
    await workers(3);
    await eventually(`${path} is gone`, () => !existsSync(path));
    await assertAtWork(session);

    await edit("server {", `server { listen unix:${path};`);
    program.signal("SIGHUP");
    await workers(4);
    assert.match(await greeting({ path }), /^\* OK/);
    await assertAtWork(session);
    session.end();
  });

  test("of a running Postern is left alone by -t", async (t) => {
    const path = await socketPath(t);
    const { proxy, workers } = await serve(t, { imap: `listen unix:${path}; protocol imap;` });
    await workers(1);
    assert.equal((await postern(proxy.directory, "-t")).end, 0);
    assert.match(await greeting({ path }), /^\* OK/);
  });

  test("is removed again by -t", async (t) => {
    const path = await socketPath(t);
    const text = mailBlock("").replace("listen 143;", `listen unix:${path}; protocol imap;`);
    const site = await makeSite(t, { "mail.conf": text });
    assert.equal((await postern(site, "-t")).end, 0);
    assert.ok(!existsSync(path));
  });
});
