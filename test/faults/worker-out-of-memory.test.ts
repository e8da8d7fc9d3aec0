// A worker that runs out of memory: the kernel kills it, or V8 aborts.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, after, before, test } from "node:test";
import { anna, attempt, granted, greeted, untilClosed } from "../support/peers/mail-client.ts";
import { freePorts } from "../support/programs/ports.ts";
import { type Scratch, makeScratch } from "../support/programs/scratch.ts";
import { inTheClear } from "../support/programs/servers.ts";
import { scrapeUntil, total } from "../support/programs/status.ts";
import type { Wire } from "../support/peers/wire.ts";
import { assertAtWork } from "../proxy/process/clients.ts";
import { serve } from "../proxy/process/service.ts";

/** A worker that gets SIGPWR allocates until no memory is left. */
const GREED = `
  import cluster from "node:cluster";
  const kept = [];
  if (cluster.isWorker) process.on("SIGPWR", () => { for (;;) kept.push(Array(10_000).fill(kept.length)); });`;

let scratch: Scratch;

before(async () => {
  scratch = await makeScratch();
  const greed = join(scratch.path, "greed.mjs");
  await writeFile(greed, GREED);
  process.env["NODE_OPTIONS"] = `--max-old-space-size=100 --import ${greed}`;
});
after(() => scratch.remove());

const ENDS = {
  "the kernel's out-of-memory killer": { signal: "SIGKILL", logged: 9 },
  "V8 at the heap limit": { signal: "SIGPWR", logged: 6 },
} as const;

async function site(t: TestContext) {
  const [status = 0] = await freePorts(1);
  const limits = "limit_conn_zone $remote_user zone=user:1m; limit_conn user 2;";
  const mail = `status_listen 127.0.0.1:${status}; ${limits}`;
  const service = await serve(t, { imap: inTheClear.imap }, "worker_processes 2;", mail);
  const arrive = async (): Promise<[answer: string, wire: Wire]> => {
    const wire = await greeted("imap", service.ports.imap);
    return [await attempt("imap", wire, anna), wire];
  };
  return { ...service, status, arrive };
}

for (const [name, { signal, logged }] of Object.entries(ENDS)) {
  test(
    `when ${name} ends a worker, its users can log in again at once, other sessions go on, its limits are released, and its metrics keep what the last scrape had`,
    { skip: process.platform === "linux" ? false : "Linux only" },
    async (t) => {
      const { program, status, arrive, workers } = await site(t);
      const [first = 0, second = 0] = await workers(2);
      process.kill(second, "SIGSTOP");
      const [, victim] = await arrive();
      process.kill(second, "SIGCONT");
      process.kill(first, "SIGSTOP");
      const [, bystander] = await arrive();
      process.kill(first, "SIGCONT");
      const [full] = await arrive();
      assert.match(full, /^a NO \[LIMIT\] /);
      const accepted = (samples: Parameters<typeof total>[0]): number =>
        total(samples, "postern_logins_total", { result: "accepted" });
      // A worker that was stopped may answer late.
      await scrapeUntil(status, (samples) => accepted(samples) === 2);

      process.kill(first, signal);
      assert.deepEqual(await untilClosed(victim), []);
      await program.logs(
        new RegExp(`\\[alert\\] .*worker process ${first} exited on signal ${logged}$`),
      );
      await assertAtWork(bystander);
      const [again, back] = await arrive();
      assert.match(again, granted.imap);
      const [over] = await arrive();
      assert.match(over, /^a NO \[LIMIT\] /);
      await workers(3);
      await scrapeUntil(status, (samples) => accepted(samples) === 3);
      await assertAtWork(bystander);
      for (const wire of [bystander, back]) wire.end();
    },
  );
}
