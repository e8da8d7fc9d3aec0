// Worker processes: their number, and their replacement when they die.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { greeted, loggedIn, untilClosed } from "../../../support/peers/mail-client.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { Wire } from "../../../support/peers/wire.ts";
import { assertAtWork } from "../clients.ts";
import { serve } from "../service.ts";

const { imap, smtp } = inTheClear;

describe("worker_processes", { concurrency: 4 }, () => {
  test("2 starts two workers, and each serves", async (t) => {
    const { program, ports, workers } = await serve(t, { imap }, "worker_processes 2;");
    const pids = await workers(2);
    for (const [stopped, serving] of [pids, pids.toReversed()]) {
      process.kill(stopped!, "SIGSTOP");
      (await greeted("imap", ports.imap)).end();
      await program.logs(new RegExp(`${serving}#${serving}: \\*\\d+ client .* connected to`));
      process.kill(stopped!, "SIGCONT");
    }
    assert.equal(await program.stop(), 0);
    assert.equal(program.stderr.match(/start worker process/g)?.length, 2);
  });

  test("a worker that was killed is logged and replaced, and no client is refused", async (t) => {
    const { program, ports, workers } = await serve(t, { smtp });
    const [first] = await workers(1);
    process.kill(first!, "SIGKILL");
    await program.logs(new RegExp(`\\[alert\\] .*worker process ${first} exited on signal 9`));
    const clients = await Promise.all(
      Array.from({ length: 50 }, () => greeted("smtp", ports.smtp)),
    );
    assert.equal(clients.length, 50);
    const [, second] = await workers(2);
    assert.notEqual(second, first);
    for (const client of clients) client.end();
  });

  test("a worker's death ends its own sessions and no others", async (t) => {
    const { ports, workers } = await serve(t, { imap }, "worker_processes 2;");
    const [first = 0, second = 0] = await workers(2);
    process.kill(second, "SIGSTOP");
    const victim = await loggedIn("imap", ports.imap);
    process.kill(second, "SIGCONT");
    process.kill(first, "SIGSTOP");
    const bystander = await loggedIn("imap", ports.imap);
    process.kill(first, "SIGKILL");
    await untilClosed(victim);
    await assertAtWork(bystander);
    bystander.end();
  });

  test("a worker that dies again and again harms nothing else", async (t) => {
    const { program, ports, workers } = await serve(t, { imap });
    for (let count = 1; count <= 3; count++) {
      process.kill((await workers(count)).at(-1)!, "SIGKILL");
      await program.logs(/exited on signal 9/, count);
    }
    (await greeted("imap", ports.imap)).end();
    assert.equal(await program.stop(), 0);
  });

  test("a reload between the death of a worker and its replacement serves the new configuration", async (t) => {
    const { program, edit, ports, workers } = await serve(t, { imap });
    const [first] = await workers(1);
    await edit("protocol imap;", "protocol pop3;");
    process.kill(first!, "SIGKILL");
    await program.logs(/exited on signal 9/);
    program.signal("SIGHUP");
    for (let greeting = ""; !greeting.startsWith("+OK");) {
      const client = new Wire(connect(ports.imap, "127.0.0.1"));
      greeting = await client.line();
      client.end();
    }
  });

  test("a worker leaves the primary's signals to the primary, and opens no debugger", async (t) => {
    const { program, ports, workers } = await serve(t, { imap });
    const [worker] = await workers(1);
    const session = await loggedIn("imap", ports.imap);
    for (const signal of ["SIGHUP", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGQUIT"] as const) {
      process.kill(worker!, signal);
      await assertAtWork(session);
    }
    assert.doesNotMatch(program.stderr, /exited|Debugger/);
    session.end();
  });
});
