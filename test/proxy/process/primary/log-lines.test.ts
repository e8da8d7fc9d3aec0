// The lines by which monitors watch a log of nginx.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { inTheClear } from "../../../support/programs/servers.ts";
import { serve } from "../service.ts";

test("start, reload and end are logged in nginx's words, at nginx's levels", async (t) => {
  const { program, workers } = await serve(t, { imap: inTheClear.imap });
  const [first] = await workers(1);
  program.signal("SIGWINCH");
  program.signal("SIGUSR1");
  await program.logs(/reopening logs$/, 3);
  program.signal("SIGHUP");
  await program.logs(/worker process \d+ exited with code 0/);
  const [, second = 0] = await workers(2);
  process.kill(second, "SIGKILL");
  const [, , third] = await workers(3);
  assert.equal(await program.stop("SIGQUIT"), 0);
  await nextTurn();

  const primary = lines(program.stderr, program.pid!);
  assert.deepEqual(
    primary.filter((line) => !/postern|built by|OS: |getrlimit/.test(line)),
    [
      '[notice] using the "epoll" event method',
      `[notice] start worker process ${first}`,
      "[notice] signal 10 (SIGUSR1) received, reopening logs",
      "[notice] reopening logs",
      "[notice] signal 1 (SIGHUP) received, reconfiguring",
      "[notice] reconfiguring",
      `[notice] start worker process ${second}`,
      `[notice] worker process ${first} exited with code 0`,
      `[alert] worker process ${second} exited on signal 9`,
      `[notice] start worker process ${third}`,
      "[notice] signal 3 (SIGQUIT) received, shutting down",
      `[notice] worker process ${third} exited with code 0`,
      "[notice] exit",
    ],
  );
  assert.match(primary.join("\n"), /^\[notice\] built by Node \S+$/m);
  assert.match(primary.join("\n"), /^\[notice\] OS: \w+ \S+$/m);
  assert.match(primary.join("\n"), /^\[notice\] getrlimit\(RLIMIT_NOFILE\): \d+:\d+$/m);
  assert.deepEqual(lines(program.stderr, first!), [
    "[notice] reopening logs",
    "[notice] gracefully shutting down",
    "[notice] exiting",
    "[notice] exit",
  ]);
});

/** The lines of a process, without the time. */
function lines(log: string, pid: number): string[] {
  return log
    .split("\n")
    .filter((line) => line.includes(` ${pid}#${pid}: `) && !line.includes("*"))
    .map((line) => line.replace(/^\S+ \S+ (\[\w+\]) \d+#\d+: /, "$1 "));
}
