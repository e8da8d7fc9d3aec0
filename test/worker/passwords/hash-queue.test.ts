import assert from "node:assert/strict";
import { test } from "node:test";
import { type HashClient, HashQueue } from "../../../worker/passwords/hash-queue.ts";

type Trust = HashClient["trust"];

let networks = 0;
/** A client from a network of its own. */
function client(trust: Trust = "unknown"): HashClient {
  networks += 1;
  return { networks: [`2001:db8:${networks}::/64`, `2001:db8:${networks}::/48`], trust };
}

/** A client from one of the /64s of one /48. */
const neighbour = (subnet: number, trust: Trust = "unknown"): HashClient => ({
  networks: [`2001:db8:0:${subnet}::/64`, "2001:db8::/48"],
  trust,
});

/** Offers a hash for each client at once, and returns how many were busy. */
async function busyOf(queue: HashQueue, clients: readonly HashClient[]): Promise<number> {
  const answers = await Promise.all(clients.map((each) => queue.run(each, () => "served")));
  return answers.filter((answer) => answer === "busy").length;
}

const many = (length: number, make: (index: number) => HashClient) =>
  Array.from({ length }, (_, index) => make(index));

test("forty-eight may wait, and the next is answered busy at once", async () => {
  const queue = new HashQueue();
  const done: number[] = [];
  const all = many(52, () => client("known")).map((each, index) =>
    queue.run(each, () => done.push(index)),
  );
  assert.deepEqual(await Promise.all(all.slice(48)), ["busy", "busy", "busy", "busy"]);
  assert.deepEqual(done, []);
  await Promise.all(all);
  assert.deepEqual(
    done,
    Array.from({ length: 48 }, (_, index) => index),
  );
});

test("eight places are left to known networks, however many others there are", async () => {
  const queue = new HashQueue();
  const flood = busyOf(
    queue,
    many(100, () => client()),
  );
  const known = busyOf(
    queue,
    many(8, () => client("known")),
  );
  assert.equal(await known, 0);
  assert.equal(await flood, 60);
});

test("under an attack, suspects get ten places in all, and the other strangers theirs", async () => {
  const queue = new HashQueue();
  const flood = busyOf(
    queue,
    many(100, () => client("suspect")),
  );
  const strangers = busyOf(
    queue,
    many(30, () => client()),
  );
  assert.equal(await flood, 90);
  assert.equal(await strangers, 0);
});

test("twenty guesses at once from one /48 make no honest login of 25 busy", async () => {
  for (const subnet of [(index: number) => index, () => 0]) {
    const queue = new HashQueue();
    const flood = busyOf(
      queue,
      many(20, (index) => neighbour(subnet(index))),
    );
    const honest = busyOf(
      queue,
      many(25, () => client()),
    );
    assert.equal(await honest, 0);
    assert.ok((await flood) >= 8);
  }
});

test("users of one known network leave places to all others", async () => {
  const queue = new HashQueue();
  const office = busyOf(
    queue,
    many(60, () => neighbour(0, "known")),
  );
  const others = busyOf(
    queue,
    many(8, () => client()),
  );
  assert.equal(await office, 36);
  assert.equal(await others, 0);
});

test("strangers in a network with many known users get places of their own", async () => {
  const queue = new HashQueue();
  const office = busyOf(
    queue,
    many(20, () => neighbour(0, "known")),
  );
  assert.equal(await busyOf(queue, [neighbour(0)]), 0);
  assert.equal(await office, 0);
});

test("a finished or failed hash makes room for another", async () => {
  const queue = new HashQueue();
  for (let round = 0; round < 3; round += 1) {
    const all = many(40, () => client()).map((each) =>
      queue.run(each, () => Promise.reject(new Error("failed"))),
    );
    const settled = await Promise.allSettled(all);
    assert.ok(settled.every(({ status }) => status === "rejected"));
  }
  assert.equal(await queue.run(client(), () => "served"), "served");
});

test("the place of a cancelled request is free again after half a minute", async (context) => {
  let now = 0;
  const queue = new HashQueue(() => now);
  // A cancelled request never resumes. Here its timer never fires.
  context.mock.timers.enable({ apis: ["setTimeout"] });
  for (let place = 0; place < 48; place += 1) void queue.run(client("known"), () => "never");
  context.mock.timers.reset();
  assert.equal(await queue.run(client("known"), () => "served"), "busy");
  now = 29_999;
  assert.equal(await queue.run(client("known"), () => "served"), "busy");
  now = 30_000;
  assert.equal(await queue.run(client("known"), () => "served"), "served");
});

test("the event loop makes a turn between two hashes", async () => {
  const queue = new HashQueue();
  const events: string[] = [];
  const all = ["a", "b", "c"].map((name) =>
    queue.run(client(), () => {
      setImmediate(() => events.push("round"));
      events.push(name);
    }),
  );
  await Promise.all(all);
  assert.deepEqual(events, ["a", "round", "b", "round", "c"]);
});
