// `-s who` and `GET /sessions` list the sessions.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListedSession } from "../../../../proxy/observe/index.ts";
import { eventually } from "../../../support/eventually.ts";
import { anna, attempt, greeted, upgraded } from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { run } from "../../../support/programs/program.ts";
import { posternEntry } from "../../../support/real-servers/index.ts";
import { alias, bert, serveControlled } from "./control-site.ts";
import { postern } from "../site.ts";

/** A list that is as wanted, as the connections that looked whether ports are open may only just be gone. */
async function until<List>(ask: () => Promise<List>, so: (list: List) => boolean): Promise<List> {
  return eventually("the list is as wanted", async () => {
    const list = await ask();
    return so(list) && list;
  });
}

function of(list: readonly ListedSession[], name: string): ListedSession {
  const [one, ...more] = list.filter(({ user }) => user === name);
  assert.ok(one !== undefined && more.length === 0, JSON.stringify(list));
  return one;
}

describe("-s who", { concurrency: 3 }, () => {
  test("lists the sessions of all workers: user, client, state, upstream and bytes", async (t) => {
    const { who, workers, ports, mailbox, logInWithout } = await serveControlled(
      t,
      "worker_processes 2;",
      "starttls on;",
    );
    const [one = 0, other = 0] = await workers(2);
    const first = await logInWithout(other);
    const second = await logInWithout(one, alias);
    const third = await upgraded("pop3", ports.pop3);
    await attempt("pop3", third, bert);
    const fourth = await greeted("imap", ports.imap);
    first.write("b NOOP\r\n");
    assert.match(await first.line(), /^b OK /);

    const list = await until(who, ({ length }) => length === 4);
    const annas = of(list, anna.login);
    const { remote_port, trace_id, connection, upstream_addr, session_time, bytes_sent, ...rest } =
      annas;
    assert.deepEqual(rest, {
      worker: one,
      protocol: "imap",
      state: "proxying",
      remote_addr: "127.0.0.1",
      ssl_protocol: null,
      user: anna.login,
      auth_user: null,
      bytes_received: "b NOOP\r\n".length,
    });
    assert.ok(remote_port > 0 && connection > 0 && session_time > 0 && bytes_sent > 0);
    assert.match(trace_id, /^[0-9a-f]{32}$/);
    assert.match(upstream_addr ?? "", /^127\.0\.0\.1:\d+$/);
    assert.notEqual(upstream_addr, `127.0.0.1:${mailbox.imap.port}`);

    const named = of(list, alias.login);
    assert.equal(named.auth_user, anna.login);
    assert.equal(named.worker, other);
    const secure = of(list, bert.login);
    assert.equal(secure.ssl_protocol, "TLSv1.3");
    assert.equal(secure.protocol, "pop3");
    const [waiting] = list.filter(({ user }) => user === null);
    assert.equal(waiting?.state, "commands");
    assert.equal(waiting?.upstream_addr, null);
    for (const wire of [first, second, third, fourth]) wire.end();
  });

  test("lists sessions of draining workers as well", async (t) => {
    const { who, program, workers, logIn } = await serveControlled(t);
    const [old] = await workers(1);
    const session = await logIn();
    program.signal("SIGHUP");
    await program.logs(/gracefully shutting down/);
    const [, fresh] = await workers(2);
    const next = await logIn(bert);
    const list = await who();
    assert.deepEqual([of(list, anna.login).worker, of(list, bert.login).worker], [old, fresh]);
    session.end();
    next.end();
  });

  test("lists a long list page by page, each session once", async (t) => {
    const { who, ports } = await serveControlled(t, "worker_processes 2;");
    const clients = await Promise.all(
      Array.from({ length: 450 }, () => greeted("imap", ports.imap)),
    );
    const list = await until(who, ({ length }) => length === 450);
    assert.equal(new Set(list.map(({ remote_port }) => remote_port)).size, 450);
    for (const client of clients) client.end();
  });

  test("a worker that does not reply is named, the others' sessions are listed, and the exit code is 1", async (t) => {
    const { site, workers, logInWithout } = await serveControlled(t, "worker_processes 2;");
    const [one = 0, other = 0] = await workers(2);
    const session = await logInWithout(other);
    const unseen = await logInWithout(one, bert);
    process.kill(other, "SIGSTOP");
    const { end, stdout, stderr } = await postern(site, "-s", "who");
    process.kill(other, "SIGCONT");
    assert.equal(end, 1);
    assert.equal(
      stderr,
      `postern: [warn] worker process ${other} does not reply, its sessions are not listed\n`,
    );
    assert.match(stdout, new RegExp(anna.login));
    assert.doesNotMatch(stdout, new RegExp(bert.login));
    session.end();
    unseen.end();
  });

  test("lists in columns at a terminal", { skip: process.platform !== "linux" }, async (t) => {
    const { site, logIn } = await serveControlled(t);
    const session = await logIn();
    const command = [process.execPath, posternEntry, "-p", site, "-c", "mail.conf", "-s", "who"];
    const { end, stdout } = await run("script", ["-qec", command.join(" "), "/dev/null"]);
    assert.equal(end, 0);
    assert.match(stdout, /^USER +CLIENT +PROTOCOL +STATE +TLS +UPSTREAM +AGE +RECEIVED +SENT\r\n/);
    assert.match(
      stdout,
      /^anna@example\.test +127\.0\.0\.1:\d+ +imap +proxying +- +127\.0\.0\.1:\d+ +\d+s +0 +\d+\r$/m,
    );
    session.end();
  });

  test("works with master_process off", async (t) => {
    const { who, kick, program, logIn } = await serveControlled(t, "master_process off;");
    const session = await logIn();
    assert.equal(of(await who(), anna.login).worker, program.pid);
    assert.equal(await kick(anna.login), "1 session ended\n");
    await assert.rejects(session.line());
  });
});

describe("GET /sessions", { concurrency: 3 }, () => {
  test("has the same sessions in one document", async (t) => {
    const [status = 0] = await freePorts(1);
    const { who, logIn } = await serveControlled(
      t,
      "worker_processes 2;",
      `status_listen 127.0.0.1:${status};`,
    );
    const wires = [await logIn(), await logIn(bert)];
    await until(who, ({ length }) => length === 2);
    const response = await fetch(`http://127.0.0.1:${status}/sessions`);
    assert.equal(response.headers.get("content-type"), "application/json");
    const { sessions, silent } = (await response.json()) as {
      sessions: ListedSession[];
      silent: number[];
    };
    assert.deepEqual(silent, []);
    const timeless = (one: ListedSession): object => ({ ...one, session_time: 0 });
    const byUser = (one: ListedSession, other: ListedSession): number =>
      `${one.user}`.localeCompare(`${other.user}`);
    assert.deepEqual(
      sessions.toSorted(byUser).map(timeless),
      (await who()).toSorted(byUser).map(timeless),
    );
    for (const wire of wires) wire.end();
  });

  test("ends no session", async (t) => {
    const [status = 0] = await freePorts(1);
    const { logIn } = await serveControlled(t, "", `status_listen 127.0.0.1:${status};`);
    const session = await logIn();
    const url = `http://127.0.0.1:${status}/sessions?user=${anna.login}`;
    for (const method of ["DELETE", "POST"]) {
      assert.equal((await fetch(url, { method })).status, 405);
    }
    session.write("b NOOP\r\n");
    assert.match(await session.line(), /^b OK /);
    session.end();
  });
});
