// `-s reopen`: after a rotation, every process writes to the new file.
import assert from "node:assert/strict";
import { mkdir, readFile, rename, stat } from "node:fs/promises";
import { test } from "node:test";
import { greeted, loggedIn, untilClosed } from "../../../support/peers/mail-client.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import { assertAtWork } from "../clients.ts";
import { serve } from "../service.ts";
import { postern } from "../site.ts";

const logs = ["error.log", "access.log"] as const;

test("-s reopen after a rename has primary and workers write to new files", async (t) => {
  const main = "worker_processes 2; error_log error.log info;";
  const imap = `${inTheClear.imap} access_log access.log;`;
  const { program, proxy, ports, file, workers } = await serve(t, { imap }, main);
  const pids = await workers(2);
  await session();
  for (const log of logs) await rename(file(log), file(`${log}.1`));
  assert.equal((await postern(proxy.directory, "-s", "reopen")).end, 0);

  const seen = new Set<string>();
  while (seen.size < pids.length) {
    await session();
    const text = await readFile(file("error.log"), "utf8").catch(() => "");
    for (const [, pid = ""] of text.matchAll(/ (\d+)#\d+: \*\d+ client .* connected/g))
      seen.add(pid);
  }
  assert.deepEqual(seen, new Set(pids.map(String)));

  const sizes = async () =>
    Promise.all(logs.map(async (log) => (await stat(file(`${log}.1`))).size));
  const before = await sizes();
  for (let count = 0; count < 10; count++) await session();
  assert.equal(await program.stop("SIGQUIT"), 0);
  assert.deepEqual(await sizes(), before);
  assert.match(await readFile(file("error.log"), "utf8"), / \[notice\] .*: exit\n$/);
  assert.match(await readFile(file("access.log"), "utf8"), /^(\{.*\}\n){10,}$/);

  async function session(): Promise<void> {
    const wire = await greeted("imap", ports.imap);
    wire.write("a LOGOUT\r\n");
    await untilClosed(wire);
  }
});

test("a log file that cannot be opened again is named, and the old file stays in use", async (t) => {
  const { program, ports, file, edit } = await serve(t, { imap: inTheClear.imap });
  await mkdir(file("logs"));
  await edit("events {}", "error_log logs/error.log; events {}");
  program.signal("SIGHUP");
  await program.logs(/worker process \d+ exited with code 0/);
  const session = await loggedIn("imap", ports.imap);
  await rename(file("logs"), file("gone"));
  program.signal("SIGUSR1");
  await program.logs(/\[emerg\] .*open\(\) "\S+logs\/error\.log" failed \(2: /);
  await assertAtWork(session);
  session.end();
});

test("the missing folder of an earlier configuration's log disturbs no reopening", async (t) => {
  const { program, ports, file, edit } = await serve(t, { imap: inTheClear.imap });
  await mkdir(file("logs"));
  await edit("events {}", "error_log logs/error.log notice; error_log stderr notice; events {}");
  program.signal("SIGHUP");
  await program.logs(/start worker process/, 2);
  await edit("error_log logs/error.log notice; ", "");
  program.signal("SIGHUP");
  // The workers of both earlier configurations are gone, so the client reaches the last one.
  await program.logs(/worker process \d+ exited with code 0/, 2);
  const session = await loggedIn("imap", ports.imap);
  await rename(file("logs"), file("gone"));
  for (const times of [1, 2]) {
    program.signal("SIGUSR1");
    await program.logs(/\[emerg\] .*open\(\) "\S+logs\/error\.log" failed \(2: /, times);
  }
  await rename(file("gone"), file("logs"));
  program.signal("SIGUSR1");
  await program.logs(/reopening logs/, 6);
  await assertAtWork(session);
  session.end();
  assert.equal(await program.stop("SIGQUIT"), 0);
  assert.doesNotMatch(program.stderr, /\[alert\]/);
});
