import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Harness, startHarness } from "../../support/harness.ts";

const LIMIT = { failures: 10, window: 600_000 };
const ANNA = { name: "anna@example.test", network: "" };

let worker: Harness;
before(async () => {
  worker = await startHarness();
});
after(() => worker.close());

const tally = async (shard: string, failed: boolean, key = ANNA, limit = LIMIT) => {
  const [answer] = await worker.counters.getByName(shard).tally([key], limit, failed);
  return answer!;
};
const rows = (shard: string) => worker.counters.exec(shard, "select * from failures");

test("a thousand simultaneous failures are all counted", async () => {
  const answers = await worker.counters.fail("crowd", ANNA, LIMIT, 1000);
  const counts = answers.map(({ failures }) => failures).toSorted((a, b) => a - b);
  assert.deepEqual(
    counts,
    Array.from({ length: 1000 }, (_, index) => index),
  );
  assert.equal((await tally("crowd", false)).failures, 1000);
});

test("reading a count counts nothing and stores nothing", async () => {
  for (let n = 0; n < 3; n++) assert.equal((await tally("asked", false)).failures, 0);
  assert.deepEqual(await rows("asked"), []);
});

test("reading a count during a block changes nothing", async () => {
  await worker.counters.fail("blocked", ANNA, LIMIT, 10);
  const stored = await rows("blocked");
  for (let n = 0; n < 3; n++) assert.equal((await tally("blocked", false)).failures, 10);
  assert.deepEqual(await rows("blocked"), stored);
});

test("an evicted object keeps its counts", async () => {
  await worker.counters.fail("evicted", ANNA, LIMIT, 7);
  await worker.counters.evict("evicted");
  assert.equal((await tally("evicted", true)).failures, 7);
  assert.equal((await tally("evicted", false)).failures, 8);
});

test("an account's failures from one network are counted separately", async () => {
  const home = { ...ANNA, network: "192.0.2.1/32" };
  const counter = worker.counters.getByName("apart");
  await counter.tally([ANNA], LIMIT, true);
  await counter.tally([ANNA, home], LIMIT, true);
  const [anywhere, fromHome] = await counter.tally([ANNA, home], LIMIT, false);
  assert.equal(anywhere?.failures, 2);
  assert.equal(fromHome?.failures, 1);
});

test("failures expire a window after the first, and a block a window after it began", async () => {
  const age = (ms: number) =>
    worker.counters.exec("window", `update failures set expires = expires - ${ms}`);
  const start = Date.now();
  const first = await tally("window", true);
  assert.ok(first.expires >= start + LIMIT.window && first.expires <= Date.now() + LIMIT.window);
  await age(LIMIT.window - 60_000);
  await worker.counters.fail("window", ANNA, LIMIT, 8);
  const ninth = await tally("window", false);
  assert.equal(ninth.failures, 9);
  assert.ok(ninth.expires <= Date.now() + 60_000);
  const tenth = await tally("window", true);
  assert.ok(tenth.expires > Date.now() + LIMIT.window - 60_000);
  const eleventh = await tally("window", true);
  assert.equal(eleventh.expires, tenth.expires, "an attempt during a block does not prolong it");
  await age(LIMIT.window);
  assert.equal((await tally("window", true)).failures, 0);
  assert.equal((await tally("window", false)).failures, 1);
});

test("no block is longer than a window, even after the clock was set back or the window shortened", async () => {
  await worker.counters.fail("set back", ANNA, LIMIT, 10);
  await worker.counters.exec("set back", "update failures set expires = expires + 86400000");
  for (const window of [LIMIT.window, 1000]) {
    const met = await tally("set back", false, ANNA, { ...LIMIT, window });
    assert.equal(met.failures, 10);
    assert.ok(met.expires <= Date.now() + window);
    const [row] = await rows("set back");
    assert.equal(row?.["expires"], met.expires);
  }
});

test("an alarm deletes expired counts and keeps the others", async () => {
  const bert = { name: "bert@example.test", network: "" };
  await tally("alarm", true, ANNA, { ...LIMIT, window: 50 });
  await tally("alarm", true, bert);
  while ((await rows("alarm")).length > 1) await pause(10);
  assert.equal((await tally("alarm", false, bert)).failures, 1);
});

test("an alarm is set again for counts that expire later", async () => {
  const bert = { name: "bert@example.test", network: "" };
  await tally("again", true, ANNA, { ...LIMIT, window: 50 });
  await tally("again", true, bert, { ...LIMIT, window: 100 });
  while ((await rows("again")).length > 0) await pause(10);
});

test("a full object drops the lowest counts and keeps an account under attack", async () => {
  await tally("full", true);
  await tally("full", true);
  await worker.counters.exec(
    "full",
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)
     insert into failures select 'name-' || i, '', 1, ${Date.now() + 300_000} from n limit 9999`,
  );
  await worker.counters.evict("full");
  await tally("full", true, { name: "one more", network: "" });
  const names = (await rows("full")).map(({ name }) => name);
  assert.ok(names.length <= 10_000 && names.length > 9_800, `${names.length}`);
  assert.ok(names.includes("one more"));
  assert.equal((await tally("full", false)).failures, 2);
});

test("a full object drops expired counts first", async () => {
  await worker.counters.fail("stale", { name: "stale", network: "" }, LIMIT, 500);
  await worker.counters.exec(
    "stale",
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)
     insert into failures select 'name-' || i, '', 1, ${Date.now() + 300_000} from n limit 9999`,
  );
  await worker.counters.exec("stale", "update failures set expires = 1 where name = 'stale'");
  await worker.counters.evict("stale");
  await tally("stale", true);
  assert.equal((await tally("stale", false, { name: "stale", network: "" })).failures, 0);
  assert.equal((await tally("stale", false, { name: "name-9000", network: "" })).failures, 1);
});

test("an operator lists the blocked names, the highest count first, and lifts a block", async () => {
  const counter = worker.counters.getByName("listed");
  const home = { ...ANNA, network: "192.0.2.1/32" };
  await worker.counters.fail("listed", { name: "some", network: "" }, LIMIT, 9);
  await worker.counters.fail("listed", home, LIMIT, 10);
  await worker.counters.fail("listed", ANNA, LIMIT, 12);
  await worker.counters.fail("listed", { name: "old", network: "" }, LIMIT, 50);
  await worker.counters.exec("listed", "update failures set expires = 1 where name = 'old'");
  const listed = await counter.list(10);
  assert.deepEqual(
    listed.map(({ name, network, failures }) => ({ name, network, failures })),
    [
      { ...ANNA, failures: 12 },
      { ...home, failures: 10 },
    ],
  );
  assert.ok(listed.every(({ expires }) => expires > Date.now()));

  assert.equal(await counter.lift(ANNA.name), true);
  assert.deepEqual(await counter.list(1), [
    { ...(await counter.list(1))[0], name: "some", failures: 9 },
  ]);
  assert.equal((await tally("listed", false)).failures, 0);
  assert.equal(await counter.lift(ANNA.name), false);
});

test("a name that contains SQL is only a name", async () => {
  const hostile = { name: "'; drop table failures; --", network: "" };
  await tally("hostile", true, hostile);
  assert.equal((await tally("hostile", false, hostile)).failures, 1);
});
