import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ALICE } from "../support/worker/harness.ts";
import { ONE_SERVER, seed } from "../support/worker/directory.ts";
import { type RunningWorker, WorkerStartError, startWorker } from "../support/worker/worker.ts";

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "postern-worker-"));
});
after(() => rm(scratch, { recursive: true }));

const SEED = {
  ...ONE_SERVER,
  users: [{ address: "alice@example.test", password: "wonderland", group: "mail" }],
};

async function statusOf(worker: RunningWorker): Promise<string | null> {
  const headers = { ...ALICE, "X-Auth-Key": "development" };
  return (await fetch(`${worker.url}/auth`, { headers })).headers.get("Auth-Status");
}

test("a second start keeps the users of the first", async () => {
  const persist = join(scratch, "kept");
  const first = await startWorker({ persist });
  await seed(first.db, SEED);
  assert.equal(await statusOf(first), "OK");
  await first.dispose();

  const second = await startWorker({ persist });
  await seed(second.db, { ...SEED, users: [{ ...SEED.users[0]!, password: "changed" }] });
  assert.equal(await statusOf(second), "OK");
  await second.dispose();
});

test("a port in use is reported in a sentence", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await assert.rejects(startWorker({ port }), (error) => {
    assert.ok(error instanceof WorkerStartError);
    assert.equal(error.message, `port ${port} on 127.0.0.1 cannot be used`);
    return true;
  });
  other.close();
});

test("a broken database is reported in a sentence with its path", async () => {
  const persist = join(scratch, "broken");
  await (await startWorker({ persist })).dispose();
  const files = await readdir(persist, { recursive: true });
  for (const file of files.filter((name) => name.includes(".sqlite"))) {
    await writeFile(join(persist, file), "not a database".repeat(100));
  }
  await assert.rejects(startWorker({ persist }), (error) => {
    assert.ok(error instanceof WorkerStartError);
    assert.match(error.message, new RegExp(`the database in ${persist};`));
    return true;
  });
});

test("a caller with its own signal handlers gets none of Miniflare's", async () => {
  const worker = await startWorker({ ownSignals: true });
  const listeners = process.listeners("SIGTERM").map(String);
  assert.deepEqual(
    listeners.filter((source) => source.includes("process.exit")),
    [],
  );
  await worker.dispose();
});
