// `worker_connections` limits connections, and the log says so.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { describe, test } from "node:test";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import { eventually } from "../../../support/eventually.ts";
import { anna, greeted, untilClosed } from "../../../support/peers/mail-client.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { Wire } from "../../../support/peers/wire.ts";
import { assertAtWork } from "../clients.ts";
import { serve } from "../service.ts";
import { makeSite, postern, refusedStart } from "../site.ts";

const { imap } = inTheClear;

/** Room for three connections, beside the listening socket and the channel. */
async function small(t: Parameters<typeof serve>[0]): ReturnType<typeof serve<"imap">> {
  const service = await serve(t, { imap });
  await service.edit("events {}", "events { worker_connections 5; }");
  service.program.signal("SIGHUP");
  await service.program.logs(/worker process \d+ exited with code 0/);
  return service;
}

const alert = /\[alert\] .*: 5 worker_connections are not enough$/;

/** A client that comes again until it is let in: it may see another one's close before the worker has. */
async function admitted(port: number): Promise<Wire> {
  return eventually("there is room for a client", async () => {
    const wire = new Wire(connect(port, "127.0.0.1"));
    const greeting = await wire.line().catch(() => null);
    return greeting === "* OK IMAP4 ready" && wire;
  });
}

describe("worker_connections", { concurrency: 4 }, () => {
  test("a client beyond them gets a reply and is closed at once, and the log says why", async (t) => {
    const { program, ports } = await small(t);
    const clients = await Promise.all([1, 2, 3].map(() => greeted("imap", ports.imap)));
    const socket = connect(ports.imap, "127.0.0.1");
    await once(socket, "connect");
    assert.deepEqual(await untilClosed(new Wire(socket)), [
      "* BYE [LIMIT] too many connections, try again later",
    ]);
    await program.logs(alert);
    for (const client of clients) await assertGreeting(client);
  });

  test("a client that leaves makes room for the next one", async (t) => {
    const { ports } = await small(t);
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all([1, 2, 3].map(() => admitted(ports.imap)));
      for (const client of clients) {
        client.write("z LOGOUT\r\n");
        await untilClosed(client);
      }
    }
  });

  test("a login without room for an upstream connection fails temporarily", async (t) => {
    const { program, ports } = await small(t);
    const [client] = await Promise.all([1, 2, 3].map(() => greeted("imap", ports.imap)));
    client!.write(`a LOGIN ${anna.login} ${anna.password}\r\n`);
    assert.match((await untilClosed(client!)).join("\n"), /^a NO \[UNAVAILABLE\] /);
    await program.logs(/\[error\] .*auth http server .* 5 worker_connections are not enough/);
  });

  test("an idle lookup connection gives way", async (t) => {
    const { program, ports } = await small(t);
    const sessions: Wire[] = [];
    // The first login leaves one behind; with it and the upstream's there is no room for another client.
    const first = await greeted("imap", ports.imap);
    first.write(`a LOGIN ${anna.login} ${anna.password}\r\n`);
    assert.match(await first.line(), /^a OK /);
    sessions.push(first, await greeted("imap", ports.imap));
    await assertAtWork(first);
    assert.doesNotMatch(program.stderr, alert);
    for (const session of sessions) session.end();
  });

  const few = { "mail.conf": `events { worker_connections 1; } ${mailBlock("")}` };
  const complaint = "[emerg] 1 worker_connections are not enough for 1 listening sockets\n";

  test("fewer than the listening sockets fail at the start", async (t) => {
    const { end, stderr } = await refusedStart(t, await makeSite(t, few));
    assert.deepEqual([end, stderr], [1, `postern: ${complaint}`]);
  });

  test("fewer than the listening sockets fail in -t", async (t) => {
    const site = await makeSite(t, few);
    const { end, stderr } = await postern(site, "-t");
    assert.equal(end, 1);
    assert.equal(
      stderr,
      `postern: the configuration file ${site}/mail.conf syntax is ok\n` +
        `postern: ${complaint}postern: configuration file ${site}/mail.conf test failed\n`,
    );
  });

  test("more than the limit on open files are warned of", async (t) => {
    const many = (main: string) =>
      `${main} events { worker_connections 1000000000; } ${mailBlock("")}`;
    const site = await makeSite(t, { "mail.conf": many("worker_rlimit_nofile 4000;") });
    const { end, stderr } = await postern(site, "-t");
    assert.equal(end, 0);
    assert.ok(
      stderr.includes(
        "postern: [warn] 1000000000 worker_connections exceed open file resource limit: 4000\n",
      ),
      stderr,
    );
    const enough = await makeSite(t, { "mail.conf": many("worker_rlimit_nofile 1000000000;") });
    assert.doesNotMatch((await postern(enough, "-t")).stderr, /\[warn\]/);
  });
});

async function assertGreeting(client: Wire): Promise<void> {
  client.write("z NOOP\r\n");
  assert.match(await client.line(), /^z OK /);
  client.end();
}
