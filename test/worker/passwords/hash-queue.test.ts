import assert from "node:assert/strict";
import { test } from "node:test";
import { HashQueue } from "../../../worker/passwords/hash-queue.ts";

test("sixteen may wait, and the next is answered busy at once", async () => {
  const queue = new HashQueue();
  const done: number[] = [];
  const all = Array.from({ length: 20 }, (_, index) => queue.run(() => done.push(index)));
  assert.deepEqual(await Promise.all(all.slice(16)), ["busy", "busy", "busy", "busy"]);
  assert.deepEqual(done, []);
  await Promise.all(all);
  assert.deepEqual(
    done,
    Array.from({ length: 16 }, (_, index) => index),
  );
});

test("a finished or failed hash makes room for another", async () => {
  const queue = new HashQueue();
  for (let round = 0; round < 3; round += 1) {
    const all = Array.from({ length: 16 }, () =>
      queue.run(() => Promise.reject(new Error("failed"))),
    );
    const settled = await Promise.allSettled(all);
    assert.ok(settled.every(({ status }) => status === "rejected"));
  }
  assert.equal(await queue.run(() => "served"), "served");
});

test("the place of a cancelled request is free again after half a minute", async (context) => {
  let now = 0;
  const queue = new HashQueue(() => now);
  // A cancelled request never resumes. Here its timer never fires.
  context.mock.timers.enable({ apis: ["setTimeout"] });
  for (let place = 0; place < 16; place += 1) void queue.run(() => "never");
  context.mock.timers.reset();
  assert.equal(await queue.run(() => "served"), "busy");
  now = 29_999;
  assert.equal(await queue.run(() => "served"), "busy");
  now = 30_000;
  assert.equal(await queue.run(() => "served"), "served");
});

test("the event loop makes a turn between two hashes", async () => {
  const queue = new HashQueue();
  const events: string[] = [];
  const all = ["a", "b", "c"].map((name) =>
    queue.run(() => {
      setImmediate(() => events.push("round"));
      events.push(name);
    }),
  );
  await Promise.all(all);
  assert.deepEqual(events, ["a", "round", "b", "round", "c"]);
});
