// `master_process off`: one process that does everything.
import assert from "node:assert/strict";
import { readFile, rename } from "node:fs/promises";
import { type TestContext, describe, test } from "node:test";
import { greeted, loggedIn, untilClosed } from "../../../support/peers/mail-client.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { assertAtWork, isRefused, logOut } from "../clients.ts";
import { type Service, serve } from "../service.ts";

const { imap, smtp } = inTheClear;

function alone<Name extends string>(
  t: TestContext,
  servers: Readonly<Record<Name, string>>,
  main = "",
): Promise<Service<Name>> {
  return serve(t, servers, `master_process off; ${main}`);
}

describe("master_process off", { concurrency: 4 }, () => {
  test("serves in the one process that was started", async (t) => {
    const { program, file, ports } = await alone(t, { imap }, "worker_processes 2;");
    const session = await loggedIn("imap", ports.imap);
    const children = `/proc/${program.pid}/task/${program.pid}/children`;
    assert.equal(await readFile(children, "utf8"), "");
    assert.equal(await readFile(file("nginx.pid"), "utf8"), `${program.pid}\n`);
    await program.logs(new RegExp(` ${program.pid}#${program.pid}: \\*1 client .* connected to`));
    await logOut(session);
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    test(`${signal} ends the process and its sessions at once`, async (t) => {
      const service = await alone(t, { imap });
      const { program, ports } = service;
      const session = await loggedIn("imap", ports.imap);
      assert.equal(await program.stop(signal), 0);
      assert.deepEqual(await untilClosed(session), []);
      assert.ok(await isRefused(ports.imap));
      const grants = service.sessions().filter((record) => record["logged_in"] === true);
      assert.equal(grants.length, 1, "the session's line is lost");
      assert.match(program.stderr, /: exit\n$/);
    });
  }

  test("SIGHUP lets the new configuration serve, and sessions that are logged in go on", async (t) => {
    const { program, edit, ports } = await alone(t, { imap, smtp });
    const session = await loggedIn("imap", ports.imap);
    const [fresh = 0] = await freePorts(1);
    for (const word of ["second", "third"]) {
      const bystander = await greeted("smtp", ports.smtp);
      await edit(/server_name \S+;/, `server_name ${word}.example.test;`);
      await edit(`127.0.0.1:${ports.imap}`, `127.0.0.1:${fresh}`);
      program.signal("SIGHUP");
      assert.match((await untilClosed(bystander)).join("\n"), /^421 4\.3\.2 /);
      await assertAtWork(session);
    }
    const next = await greeted("smtp", ports.smtp);
    next.write("HELO x\r\n");
    assert.equal(await next.line(), "250 third.example.test");
    next.end();
    (await greeted("imap", fresh)).end();
    assert.ok(await isRefused(ports.imap));
    await logOut(session);
    assert.equal(await program.stop(), 0);
  });

  test("SIGHUP with a mistake is logged, and nothing changes", async (t) => {
    const { program, edit, ports } = await alone(t, { imap });
    await edit("events {}", "wonder on;");
    program.signal("SIGHUP");
    await program.logs(/\[emerg\] .*unknown directive "wonder"/);
    (await greeted("imap", ports.imap)).end();
  });

  test("SIGUSR1 opens new log files", async (t) => {
    const { program, file, ports } = await alone(t, { imap }, "error_log error.log info;");
    (await greeted("imap", ports.imap)).end();
    await rename(file("error.log"), file("error.log.1"));
    program.signal("SIGUSR1");
    let text = "";
    while (!text.includes(" connected to ")) {
      (await greeted("imap", ports.imap)).end();
      text = await readFile(file("error.log"), "utf8").catch(() => "");
    }
  });
});
