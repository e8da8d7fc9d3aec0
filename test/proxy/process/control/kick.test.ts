// `-s kick` ends the sessions of one user in every worker.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { ImapFlow } from "imapflow";
import { never, reply, route } from "../../../support/peers/lookup-endpoint.ts";
import { anna, attempt, greeted, untilClosed } from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { scrape, total } from "../../../support/programs/status.ts";
import { assertAtWork } from "../clients.ts";
import { alias, bert, serveControlled } from "./control-site.ts";
import { postern } from "../site.ts";

describe("-s kick", { concurrency: 3 }, () => {
  test("ends a user's sessions in every worker, also those that drain, and no other session", async (t) => {
    const [status = 0] = await freePorts(1);
    const { kick, program, workers, logInWithout, logIn, proxy } = await serveControlled(
      t,
      "worker_processes 2;",
      `log_format short '$login $status "$end"'; access_log short.log short; access_log stdout short;
       status_listen 127.0.0.1:${status};`,
    );
    const [one = 0, other = 0] = await workers(2);
    const kicked = [await logInWithout(one), await logInWithout(other)];
    const spared = [await logInWithout(one, bert), await logInWithout(other, bert)];
    program.signal("SIGHUP");
    await program.logs(/gracefully shutting down/, 2);
    kicked.push(await logIn(), await logIn(alias));
    spared.push(await logIn(bert));

    assert.equal(await kick(anna.login), "4 sessions ended\n");
    // After the login no byte is Postern's own.
    for (const wire of kicked) assert.deepEqual(await untilClosed(wire), []);
    for (const wire of spared) await assertAtWork(wire);
    await program.says(`${anna.login} 403 "kicked"\n`);
    await program.logs(/\[notice\] .*kicked "anna@example\.test", sessions ended: 4$/);
    assert.equal(total(await scrape(status), "postern_sessions_kicked_total"), 4);
    assert.equal(await kick(anna.login), "0 sessions ended\n");
    for (const wire of spared) wire.end();
    await proxy.program.stop();
  });

  test("closes the connection of an idle mail program, which may log in again", async (t) => {
    const { kick, ports } = await serveControlled(t);
    const connected = async (): Promise<ImapFlow> => {
      const client = new ImapFlow({
        host: "127.0.0.1",
        port: ports.imap,
        secure: false,
        doSTARTTLS: false,
        auth: { user: anna.login, pass: anna.password },
        logger: false,
      });
      await client.connect();
      return client;
    };
    const client = await connected();
    await client.mailboxOpen("INBOX");
    const idle = client.idle();
    const closed = once(client, "close");
    assert.equal(await kick(anna.login), "1 session ended\n");
    await closed;
    await idle;
    await (await connected()).logout();
  });

  test("takes the name that was typed and the one that replaced it, in any case", async (t) => {
    const { kick, logIn } = await serveControlled(t);
    for (const name of [alias.login, anna.login, alias.login.toUpperCase()]) {
      const session = await logIn(alias);
      assert.equal(await kick(name), "1 session ended\n");
      assert.deepEqual(await untilClosed(session), []);
    }
  });

  test("takes a name beyond ASCII, and one that looks like an option or a query", async (t) => {
    let asked = Promise.withResolvers<void>();
    const { kick, who, ports } = await serveControlled(t, "", "", () => () => {
      asked.resolve();
      return never();
    });
    for (const name of ["jörg@exämple.test", "-t", "a&user=b%20+c\u{1F4EE}"]) {
      asked = Promise.withResolvers();
      const wire = await greeted("imap", ports.imap);
      const bytes = Buffer.from(name).toString("latin1");
      wire.write(`a LOGIN {${bytes.length}+}\r\n${bytes} x\r\n`);
      await asked.promise;
      const [{ state } = { state: "gone" }] = (await who()).filter(({ user }) => user === name);
      assert.equal(state, "login");
      assert.equal(await kick(name), "1 session ended\n");
      await untilClosed(wire);
    }
  });

  test("takes a name in another case and in another form of Unicode, as the worker does", async (t) => {
    let asked = Promise.withResolvers<void>();
    const { kick, ports } = await serveControlled(t, "", "", () => () => {
      asked.resolve();
      return never();
    });
    for (const [typed, name] of [
      ["JÖRG@example.test", "jo\u0308rg@example.test"],
      ["jo\u0308rg@example.test", "JÖRG@EXAMPLE.TEST"],
      ["a@exämple.test", "a@xn--exmple-cua.test"],
    ] as const) {
      asked = Promise.withResolvers();
      const wire = await greeted("imap", ports.imap);
      const bytes = Buffer.from(typed).toString("latin1");
      wire.write(`a LOGIN {${bytes.length}+}\r\n${bytes} x\r\n`);
      await asked.promise;
      assert.equal(await kick("jorg@example.test"), "0 sessions ended\n");
      assert.equal(await kick(name), "1 session ended\n");
      await untilClosed(wire);
    }
  });

  test("gives a client that is logging in a temporary failure, never a wrong password", async (t) => {
    const asked = Promise.withResolvers<void>();
    const { kick, ports } = await serveControlled(t, "", "", () => () => {
      asked.resolve();
      return never();
    });
    const wire = await greeted("imap", ports.imap);
    wire.write(`a LOGIN ${anna.login} ${anna.password}\r\n`);
    await asked.promise;
    assert.equal(await kick(anna.login), "1 session ended\n");
    assert.match((await untilClosed(wire)).join("\n"), /^a NO \[UNAVAILABLE\] .*$/);
  });

  test("leaves a client alone that was refused as that user, and may try again", async (t) => {
    const { kick, ports } = await serveControlled(
      t,
      "",
      "",
      () => () => reply(200, { "Auth-Status": "wrong password", "Auth-Wait": 1 }),
    );
    const wire = await greeted("imap", ports.imap);
    assert.match(await attempt("imap", wire, anna), /^a NO /);
    assert.equal(await kick(anna.login), "0 sessions ended\n");
    wire.write("a NOOP\r\n");
    assert.match(await wire.line(), /^a OK /);
    wire.end();
  });

  test("drops cached lookups of the user and of no other", async (t) => {
    const { kick, logIn, endpoint } = await serveControlled(
      t,
      "",
      "auth_http_cache on;",
      (imap) => () => route(imap, { "Cache-Control": "private, max-age=600" }),
    );
    const logInOut = async (account: typeof anna): Promise<void> => {
      const wire = await logIn(account);
      wire.write("z LOGOUT\r\n");
      await untilClosed(wire);
    };
    for (const account of [anna, bert, anna, bert]) await logInOut(account);
    assert.equal(endpoint.lookups.length, 2);
    assert.equal(await kick(anna.login), "0 sessions ended\n");
    for (const account of [bert, anna]) await logInOut(account);
    assert.equal(endpoint.lookups.length, 3);
    assert.equal(endpoint.lookups[2]?.header("Auth-User"), anna.login);
  });

  test("a worker that does not reply is named, the exit code is 1, and the sessions end once it is awake", async (t) => {
    const { site, workers, logInWithout } = await serveControlled(t, "worker_processes 2;");
    const [one = 0, other = 0] = await workers(2);
    const now = await logInWithout(other);
    const later = await logInWithout(one);
    process.kill(other, "SIGSTOP");
    const said = await postern(site, "-s", "kick", anna.login);
    const consequence = "it ends the user's sessions as soon as it can";
    assert.deepEqual(said, {
      end: 1,
      stdout: "1 session ended\n",
      stderr: `postern: [warn] worker process ${other} does not reply, ${consequence}\n`,
    });
    await untilClosed(now);
    process.kill(other, "SIGCONT");
    assert.deepEqual(await untilClosed(later), []);
  });

  test("requires a name", async (t) => {
    const { site } = await serveControlled(t);
    for (const words of [["kick"], ["kick", ""]]) {
      const { end, stderr } = await postern(site, "-s", ...words);
      assert.equal(end, 1);
      assert.equal(stderr, 'postern: option "-s kick" requires user name\n');
    }
  });
});
