// The ends of Postern: immediate, graceful, and by the death of the primary.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type Socket, connect as connectSocket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { mailBlock } from "../../../support/proxy/configuration.ts";
import {
  greeted,
  greetedSecurely,
  loggedIn,
  protocolNames,
  untilClosed,
} from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { Wire } from "../../../support/peers/wire.ts";
import { assertAtWork, isRefused, logOut } from "../clients.ts";
import { serve } from "../service.ts";
import { makeSite, start } from "../site.ts";

const { imap, pop3, smtp } = inTheClear;

const LEAVING = {
  imap: /^\* BYE \[UNAVAILABLE\] .*$/,
  pop3: /^-ERR \[SYS\/TEMP\] .*$/,
  smtp: /^421 4\.3\.2 .*$/,
};

/** A client that has asked for TLS and been told to go ahead. */
async function wantingTls(protocol: ProtocolName, port: number): Promise<Socket> {
  const socket = connectSocket(port, "127.0.0.1");
  await once(socket, "data");
  socket.write({ imap: "a STARTTLS\r\n", pop3: "STLS\r\n", smtp: "STARTTLS\r\n" }[protocol]);
  await once(socket, "data");
  socket.removeAllListeners("data").pause();
  return socket;
}

describe("an immediate end", { concurrency: 4 }, () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} ends every session, the workers and the primary`, async (t) => {
      const service = await serve(t, { imap }, "worker_processes 2;");
      const { program, ports, mailbox, workers } = service;
      // A worker that has not started yet would be killed before it could end by itself.
      await workers(2);
      const clients = [await loggedIn("imap", ports.imap), await greeted("imap", ports.imap)];
      assert.equal(await program.stop(signal), 0);
      for (const client of clients) assert.deepEqual(await untilClosed(client), []);
      assert.ok(await isRefused(ports.imap));
      assert.equal(mailbox.imap.logins, 1);
      const grants = service.sessions().filter((session) => session["logged_in"] === true);
      assert.equal(grants.length, 1, "the session's line is lost");
      assert.equal(program.stderr.match(/worker process \d+ exited with code 0$/gm)?.length, 2);
    });
  }

  test("SIGTERM kills a worker that does not end by itself", async (t) => {
    const { program, workers } = await serve(t, { imap });
    const [worker = 0] = await workers(1);
    process.kill(worker, "SIGSTOP");
    assert.equal(await program.stop(), 0);
    assert.match(program.stderr, new RegExp(`worker process ${worker} exited on signal 9`));
  });

  test("SIGTERM ends sessions that go on after SIGQUIT", async (t) => {
    const { program, ports } = await serve(t, { imap });
    const session = await loggedIn("imap", ports.imap);
    program.signal("SIGQUIT");
    await program.logs(/gracefully shutting down/);
    await assertAtWork(session);
    assert.equal(await program.stop(), 0);
    assert.deepEqual(await untilClosed(session), []);
  });

  test("SIGTERM ends the process as soon as there is a pid file", async (t) => {
    const [port = 0] = await freePorts(1);
    const mail = mailBlock("protocol imap;").replace("143", `127.0.0.1:${port}`);
    const site = await makeSite(t, { "mail.conf": `pid nginx.pid; ${mail}` });
    const program = start(t, site);
    while (!existsSync(join(site, "nginx.pid"))) await nextTurn();
    assert.equal(await program.stop(), 0);
    assert.ok(!existsSync(join(site, "nginx.pid")));
  });

  test("SIGTERM in the middle of a reload ends both configurations", async (t) => {
    const { program, ports } = await serve(t, { imap });
    program.signal("SIGHUP");
    await program.logs(/SIGHUP. received, reconfiguring/);
    assert.equal(await program.stop(), 0);
    assert.ok(await isRefused(ports.imap));
  });
});

describe("a graceful end", { concurrency: 4 }, () => {
  test("SIGQUIT lets a session that is logged in go on to its end", async (t) => {
    const service = await serve(t, { imap });
    const { program, ports } = service;
    const session = await loggedIn("imap", ports.imap);
    const bystander = await greeted("imap", ports.imap);
    program.signal("SIGQUIT");
    await untilClosed(bystander);
    assert.ok(await isRefused(ports.imap), "a new connection was accepted");
    await assertAtWork(session);
    await logOut(session);
    assert.equal(await program.ended, 0);
    assert.match(program.stderr, /\[notice\] \d+#\d+: exit$/m);
    const last = service.sessions().find((record) => record["logged_in"] === true);
    assert.ok(Number(last?.["bytes_sent"]) > 0, "the session's line is lost");
  });

  test("SIGQUIT ends sessions before login with the reply of each protocol", async (t) => {
    const tls = "listen 127.0.0.1:PORT ssl; protocol imap;";
    const { program, ports } = await serve(t, { imap, pop3, smtp, tls });
    const [byImap, byPop3, bySmtp, byTls] = [
      await greeted("imap", ports.imap),
      await greeted("pop3", ports.pop3),
      await greeted("smtp", ports.smtp),
      await greetedSecurely("imap", ports.tls),
    ];
    program.signal("SIGQUIT");
    assert.match((await untilClosed(byImap)).join("\n"), LEAVING.imap);
    assert.match((await untilClosed(byPop3)).join("\n"), LEAVING.pop3);
    assert.match((await untilClosed(bySmtp)).join("\n"), LEAVING.smtp);
    assert.match((await untilClosed(byTls)).join("\n"), LEAVING.imap);
    assert.equal(await program.ended, 0);
  });

  for (const protocol of protocolNames) {
    test(`SIGQUIT lets a client of ${protocol} finish its handshake, and tells it under TLS`, async (t) => {
      const tls = `listen 127.0.0.1:PORT ssl; protocol ${protocol};`;
      const clear = `listen 127.0.0.1:PORT; protocol ${protocol}; starttls on;`;
      const { program, ports } = await serve(t, { tls, clear });
      const implicit = connectSocket(ports.tls, "127.0.0.1");
      await program.logs(/client 127\.0\.0\.1.* connected to /);
      const explicit = await wantingTls(protocol, ports.clear);
      program.signal("SIGQUIT");
      await program.logs(/gracefully shutting down/);
      for (const socket of [implicit, explicit]) {
        const wire = new Wire(connectTls({ socket, rejectUnauthorized: false }));
        assert.match((await untilClosed(wire)).join("\n"), LEAVING[protocol]);
      }
      assert.equal(await program.ended, 0);
    });
  }

  test("SIGQUIT waits no longer than worker_shutdown_timeout", async (t) => {
    const { program, ports } = await serve(t, { imap }, "worker_shutdown_timeout 100ms;");
    const session = await loggedIn("imap", ports.imap);
    assert.equal(await program.stop("SIGQUIT"), 0);
    assert.deepEqual(await untilClosed(session), []);
  });
});

describe("a killed primary", () => {
  test("the workers end when the primary is killed", async (t) => {
    const service = await serve(t, { imap }, "worker_processes 2;");
    const { program, ports, workers } = service;
    const session = await loggedIn("imap", ports.imap);
    await workers(2);
    // `stop` also waits for the workers, because they write to the same output.
    assert.equal(await program.stop("SIGKILL"), "SIGKILL");
    assert.deepEqual(await untilClosed(session), []);
    assert.ok(await isRefused(ports.imap));
    assert.ok(
      service.sessions().some((record) => record["logged_in"] === true),
      "its line is lost",
    );
  });
});
