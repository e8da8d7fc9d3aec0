// `drain_delay`: load balancers see a drain before any client is refused.
import assert from "node:assert/strict";
import { type TestContext, describe, test } from "node:test";
import { greeted, loggedIn, untilClosed } from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { codeOf } from "../../../support/programs/status.ts";
import { assertAtWork, isRefused, logOut } from "../clients.ts";
import { type Service, serve } from "../service.ts";

const { imap } = inTheClear;

async function serveWith(
  t: TestContext,
  main: string,
): Promise<Service<"imap"> & { readonly code: (path: string) => Promise<number> }> {
  const [status = 0] = await freePorts(1);
  const service = await serve(t, { imap }, main, `status_listen 127.0.0.1:${status};`);
  return { ...service, code: (path) => codeOf(status, path) };
}

describe("drain_delay", { concurrency: 3 }, () => {
  test("makes /readyz fail first, while clients still connect and log in", async (t) => {
    const { program, ports, workers, code } = await serveWith(t, "drain_delay 1h;");
    await workers(1);
    const before = await loggedIn("imap", ports.imap);
    const bystander = await greeted("imap", ports.imap);
    program.signal("SIGQUIT");
    await program.logs(
      /\[notice\] .*: not ready any more, accepting connections for another 3600000ms$/,
    );
    assert.equal(await code("/readyz"), 503);
    assert.equal(await code("/healthz"), 200);
    const after = await loggedIn("imap", ports.imap);
    for (const session of [before, bystander, after]) await assertAtWork(session);
    assert.doesNotMatch(program.stderr, /gracefully shutting down/);
    await logOut(before);
    await logOut(after);
    bystander.end();
  });

  test("is followed by the drain", async (t) => {
    const { program, ports, workers, code } = await serveWith(t, "drain_delay 50ms;");
    await workers(1);
    const session = await loggedIn("imap", ports.imap);
    const bystander = await greeted("imap", ports.imap);
    program.signal("SIGQUIT");
    assert.match((await untilClosed(bystander)).join("\n"), /^\* BYE /);
    assert.match(program.stderr, /not ready any more/);
    assert.ok(await isRefused(ports.imap));
    assert.equal(await code("/readyz"), 503);
    await assertAtWork(session);
    await logOut(session);
    assert.equal(await program.ended, 0);
  });

  test("is cut short by SIGTERM", async (t) => {
    const { program, ports } = await serveWith(t, "drain_delay 1h;");
    const session = await loggedIn("imap", ports.imap);
    program.signal("SIGQUIT");
    await program.logs(/not ready any more/);
    assert.equal(await program.stop(), 0);
    assert.deepEqual(await untilClosed(session), []);
  });

  test("delays no reload", async (t) => {
    const { program, workers, code } = await serveWith(t, "drain_delay 1h;");
    await workers(1);
    program.signal("SIGHUP");
    await program.logs(/worker process \d+ exited with code 0/);
    assert.equal(await code("/readyz"), 200);
  });

  test("counts from the first SIGQUIT, and worker_shutdown_timeout from its end", async (t) => {
    const main = "drain_delay 1h; worker_shutdown_timeout 1ms;";
    const { program, ports } = await serveWith(t, main);
    const session = await loggedIn("imap", ports.imap);
    for (const times of [1, 2]) {
      program.signal("SIGQUIT");
      await program.logs(/SIGQUIT. received, shutting down/, times);
      await assertAtWork(session);
    }
    assert.equal(program.stderr.match(/not ready any more/g)?.length, 1);
    session.end();
  });
});
