import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LimitedKey } from "../../../worker/penalties/counter.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { eventually } from "../../support/eventually.ts";

const WINDOW = 600_000;
const ANNA: LimitedKey = {
  name: "anna@example.test",
  login: "",
  network: "",
  permitted: 10,
  effect: "refuse",
};
/** A count that refuses nothing, so that it grows beyond what is permitted. */
const CROWD: LimitedKey = { ...ANNA, effect: "add" };

let worker: Harness;
before(async () => {
  worker = await startHarness();
});
after(() => worker.close());

const tally = async (shard: string, failed: boolean, key = ANNA, window = WINDOW) => {
  const [answer] = await worker.counters.getByName(shard).tally([key], window, failed);
  return answer!;
};
const rows = (shard: string) => worker.counters.exec(shard, "select * from counts");

test("a thousand simultaneous failures are all counted", async () => {
  const answers = await worker.counters.fail("crowd", CROWD, WINDOW, 1000);
  const counts = answers.map(({ failures }) => failures).toSorted((a, b) => a - b);
  assert.deepEqual(
    counts,
    Array.from({ length: 1000 }, (_, index) => index),
  );
  assert.equal((await tally("crowd", false)).failures, 1000);
});

test("of a thousand simultaneous failures, a count that refuses takes only the permitted ones", async () => {
  const answers = await worker.counters.fail("refusing", ANNA, WINDOW, 1000);
  assert.equal(answers.filter(({ failures }) => failures < 10).length, 10);
  assert.equal((await tally("refusing", false)).failures, 10);
});

test("an attempt that one count refuses is added to no other", async () => {
  const wide = { ...ANNA, name: "2001:db8::/48", permitted: 120 };
  await worker.counters.fail("widths", ANNA, WINDOW, 10);
  const counter = worker.counters.getByName("widths");
  for (let n = 0; n < 3; n++) await counter.tally([ANNA, wide], WINDOW, true);
  assert.equal((await tally("widths", false, wide)).failures, 0);
});

test("reading a count counts nothing and stores nothing", async () => {
  for (let n = 0; n < 3; n++) assert.equal((await tally("asked", false)).failures, 0);
  await tally("asked", true, { ...ANNA, effect: "read" });
  assert.deepEqual(await rows("asked"), []);
});

test("an attempt during a block changes nothing, whether its password was right or wrong", async () => {
  await worker.counters.fail("blocked", ANNA, WINDOW, 10);
  const stored = await rows("blocked");
  for (const failed of [false, true, true]) {
    assert.equal((await tally("blocked", failed)).failures, 10);
  }
  assert.deepEqual(await rows("blocked"), stored);
});

test("a failure that is taken back is not counted, and its block ends", async () => {
  await worker.counters.fail("taken back", ANNA, WINDOW, 9);
  const { expires } = await tally("taken back", true);
  const counter = worker.counters.getByName("taken back");
  await counter.retract([{ ...ANNA, expires }]);
  assert.equal((await tally("taken back", true)).failures, 9);
});

test("a failure that expired before it is taken back leaves the new count alone", async () => {
  const first = await tally("too late", true);
  await worker.counters.exec("too late", "update counts set expires = 1");
  await tally("too late", true);
  await worker.counters.getByName("too late").retract([{ ...ANNA, expires: first.expires }]);
  assert.equal((await tally("too late", false)).failures, 1);
});

test("an evicted object keeps its counts", async () => {
  await worker.counters.fail("evicted", ANNA, WINDOW, 7);
  await worker.counters.evict("evicted");
  assert.equal((await tally("evicted", true)).failures, 7);
  assert.equal((await tally("evicted", false)).failures, 8);
});

test("an account's failures under one name, and from one network, are counted separately", async () => {
  const alias = { ...ANNA, login: "alias@example.test" };
  const home = { ...alias, network: "192.0.2.1/32" };
  const counter = worker.counters.getByName("apart");
  for (const keys of [[ANNA], [ANNA, alias], [ANNA, alias, home]]) {
    await counter.tally(keys, WINDOW, true);
  }
  const counts = await counter.tally([ANNA, alias, home], WINDOW, false);
  assert.deepEqual(
    counts.map(({ failures }) => failures),
    [3, 2, 1],
  );
});

test("failures expire a window after the first, and a block a window after it began", async () => {
  const age = (ms: number) =>
    worker.counters.exec("window", `update counts set expires = expires - ${ms}`);
  const start = Date.now();
  const first = await tally("window", true);
  assert.ok(first.expires >= start + WINDOW && first.expires <= Date.now() + WINDOW);
  await age(WINDOW - 60_000);
  await worker.counters.fail("window", ANNA, WINDOW, 8);
  const ninth = await tally("window", false);
  assert.equal(ninth.failures, 9);
  assert.ok(ninth.expires <= Date.now() + 60_000);
  const tenth = await tally("window", true);
  assert.ok(tenth.expires > Date.now() + WINDOW - 60_000);
  const eleventh = await tally("window", true, CROWD);
  assert.equal(eleventh.expires, tenth.expires, "an attempt during a block does not prolong it");
  await age(WINDOW);
  assert.equal((await tally("window", true)).failures, 0);
  assert.equal((await tally("window", false)).failures, 1);
});

test("no block is longer than a window, even after the clock was set back or the window shortened", async () => {
  await worker.counters.fail("set back", ANNA, WINDOW, 10);
  await worker.counters.exec("set back", "update counts set expires = expires + 86400000");
  for (const window of [WINDOW, 1000]) {
    const met = await tally("set back", false, ANNA, window);
    assert.equal(met.failures, 10);
    assert.ok(met.expires <= Date.now() + window);
  }
});

test("an alarm deletes expired counts and keeps the others", async () => {
  const bert = { ...ANNA, name: "bert@example.test" };
  await tally("alarm", true, ANNA, 50);
  await tally("alarm", true, bert);
  await eventually("the expired count is deleted", async () => (await rows("alarm")).length === 1);
  assert.equal((await tally("alarm", false, bert)).failures, 1);
});

test("an alarm is set again for counts that expire later", async () => {
  const bert = { ...ANNA, name: "bert@example.test" };
  await tally("again", true, ANNA, 50);
  await tally("again", true, bert, 100);
  await eventually("both counts are deleted", async () => (await rows("again")).length === 0);
});

/** Fills an object with counts of one failure each. */
const FILL = `with recursive n (i) as (select 1 union all select i + 1 from n where i < 30000)
  insert into counts select 'name-' || i, '', '', 1, 10, ${Date.now() + 300_000} from n limit 19999`;

test("a full object drops the lowest counts and keeps an account under attack", async () => {
  await tally("full", true);
  await tally("full", true);
  await worker.counters.exec("full", FILL);
  await worker.counters.evict("full");
  await tally("full", true, { ...ANNA, name: "one more" });
  const names = (await rows("full")).map(({ name }) => name);
  assert.ok(names.length <= 20_000 && names.length > 19_800, `${names.length}`);
  assert.ok(names.includes("one more"));
  assert.equal((await tally("full", false)).failures, 2);
});

test("a full object drops expired counts first", async () => {
  const stale = { ...CROWD, name: "stale" };
  await worker.counters.fail("stale", stale, WINDOW, 500);
  await worker.counters.exec("stale", FILL);
  await worker.counters.exec("stale", "update counts set expires = 1 where name = 'stale'");
  await worker.counters.evict("stale");
  await tally("stale", true);
  assert.equal((await tally("stale", false, stale)).failures, 0);
  assert.equal((await tally("stale", false, { ...ANNA, name: "name-9000" })).failures, 1);
});

test("an operator lists the blocked names, the highest count first, and lifts a block", async () => {
  const counter = worker.counters.getByName("listed");
  const home = { ...ANNA, network: "192.0.2.1/32" };
  await worker.counters.fail("listed", { ...ANNA, name: "some" }, WINDOW, 9);
  await worker.counters.fail("listed", home, WINDOW, 10);
  await worker.counters.fail("listed", CROWD, WINDOW, 12);
  await worker.counters.fail("listed", { ...CROWD, name: "old" }, WINDOW, 50);
  await worker.counters.fail("listed", { ...CROWD, name: "wide", permitted: 120 }, WINDOW, 60);
  await worker.counters.exec("listed", "update counts set expires = 1 where name = 'old'");
  const listed = await counter.list();
  assert.deepEqual(
    listed.map(({ name, network, failures }) => ({ name, network, failures })),
    [
      { name: ANNA.name, network: "", failures: 12 },
      { name: ANNA.name, network: home.network, failures: 10 },
    ],
  );
  assert.ok(listed.every(({ expires }) => expires > Date.now()));

  assert.equal(await counter.lift(ANNA.name), true);
  assert.deepEqual(await counter.list(), []);
  assert.equal((await tally("listed", false)).failures, 0);
  assert.equal(await counter.lift(ANNA.name), false);
});

test("a name that contains SQL is only a name", async () => {
  const hostile = { ...ANNA, name: "'; drop table counts; --" };
  await tally("hostile", true, hostile);
  assert.equal((await tally("hostile", false, hostile)).failures, 1);
});
