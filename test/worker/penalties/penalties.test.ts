import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Harness, startHarness } from "../../support/harness.ts";

const RULE = { failures: 10, window: 600_000 };
const ANNA = { name: "anna@example.test", network: "" };

let worker: Harness;
before(async () => {
  worker = await startHarness();
});
after(() => worker.close());

const tally = async (shard: string, failed: boolean, subject = ANNA, rule = RULE) => {
  const [answer] = await worker.ledgers.getByName(shard).tally([subject], rule, failed);
  return answer!;
};
const rows = (shard: string) => worker.ledgers.exec(shard, "select * from failures");

test("a thousand failures at the same moment are a thousand counted", async () => {
  const answers = await worker.ledgers.fail("crowd", ANNA, RULE, 1000);
  const counts = answers.map(({ failures }) => failures).toSorted((a, b) => a - b);
  assert.deepEqual(
    counts,
    Array.from({ length: 1000 }, (_, index) => index),
  );
  assert.equal((await tally("crowd", false)).failures, 1000);
});

test("asking counts nothing, and keeps nothing", async () => {
  for (let n = 0; n < 3; n++) assert.equal((await tally("asked", false)).failures, 0);
  assert.deepEqual(await rows("asked"), []);
});

test("asking during a block changes nothing", async () => {
  await worker.ledgers.fail("asked in vain", ANNA, RULE, 10);
  const stored = await rows("asked in vain");
  for (let n = 0; n < 3; n++) assert.equal((await tally("asked in vain", false)).failures, 10);
  assert.deepEqual(await rows("asked in vain"), stored);
});

test("an evicted object goes on where it was", async () => {
  await worker.ledgers.fail("evicted", ANNA, RULE, 7);
  await worker.ledgers.evict("evicted");
  assert.equal((await tally("evicted", true)).failures, 7);
  assert.equal((await tally("evicted", false)).failures, 8);
});

test("an account's failures from one network are counted apart", async () => {
  const home = { ...ANNA, network: "192.0.2.1/32" };
  const ledger = worker.ledgers.getByName("apart");
  await ledger.tally([ANNA], RULE, true);
  await ledger.tally([ANNA, home], RULE, true);
  const [anywhere, fromHome] = await ledger.tally([ANNA, home], RULE, false);
  assert.equal(anywhere?.failures, 2);
  assert.equal(fromHome?.failures, 1);
});

test("failures are forgotten a window after the first, and a block a window after it began", async () => {
  const age = (ms: number) =>
    worker.ledgers.exec("window", `update failures set expires = expires - ${ms}`);
  const start = Date.now();
  const first = await tally("window", true);
  assert.ok(first.expires >= start + RULE.window && first.expires <= Date.now() + RULE.window);
  await age(RULE.window - 60_000);
  await worker.ledgers.fail("window", ANNA, RULE, 8);
  const ninth = await tally("window", false);
  assert.equal(ninth.failures, 9);
  assert.ok(ninth.expires <= Date.now() + 60_000);
  const tenth = await tally("window", true);
  assert.ok(tenth.expires > Date.now() + RULE.window - 60_000);
  const eleventh = await tally("window", true);
  assert.equal(eleventh.expires, tenth.expires, "what is tried during a block does not prolong it");
  await age(RULE.window);
  assert.equal((await tally("window", true)).failures, 0);
  assert.equal((await tally("window", false)).failures, 1);
});

test("no block is longer than a window, though the clock was set back or the window is shorter now", async () => {
  await worker.ledgers.fail("set back", ANNA, RULE, 10);
  await worker.ledgers.exec("set back", "update failures set expires = expires + 86400000");
  for (const window of [RULE.window, 1000]) {
    const met = await tally("set back", false, ANNA, { ...RULE, window });
    assert.equal(met.failures, 10);
    assert.ok(met.expires <= Date.now() + window);
    const [row] = await rows("set back");
    assert.equal(row?.["expires"], met.expires);
  }
});

test("what has expired is deleted by an alarm, and what has not is kept", async () => {
  const bert = { name: "bert@example.test", network: "" };
  await tally("alarm", true, ANNA, { ...RULE, window: 50 });
  await tally("alarm", true, bert);
  while ((await rows("alarm")).length > 1) await pause(10);
  assert.equal((await tally("alarm", false, bert)).failures, 1);
});

test("an alarm comes back for what expires later", async () => {
  const bert = { name: "bert@example.test", network: "" };
  await tally("again", true, ANNA, { ...RULE, window: 50 });
  await tally("again", true, bert, { ...RULE, window: 100 });
  while ((await rows("again")).length > 0) await pause(10);
});

test("a full object drops those who failed least, and keeps who is under attack", async () => {
  await tally("full", true);
  await tally("full", true);
  await worker.ledgers.exec(
    "full",
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)
     insert into failures select 'name-' || i, '', 1, ${Date.now() + 300_000} from n limit 9999`,
  );
  await worker.ledgers.evict("full");
  await tally("full", true, { name: "one more", network: "" });
  const names = (await rows("full")).map(({ name }) => name);
  assert.ok(names.length <= 10_000 && names.length > 9_800, `${names.length}`);
  assert.ok(names.includes("one more"));
  assert.equal((await tally("full", false)).failures, 2);
});

test("what has expired is the first to be dropped", async () => {
  await worker.ledgers.fail("stale", { name: "stale", network: "" }, RULE, 500);
  await worker.ledgers.exec(
    "stale",
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)
     insert into failures select 'name-' || i, '', 1, ${Date.now() + 300_000} from n limit 9999`,
  );
  await worker.ledgers.exec("stale", "update failures set expires = 1 where name = 'stale'");
  await worker.ledgers.evict("stale");
  await tally("stale", true);
  assert.equal((await tally("stale", false, { name: "stale", network: "" })).failures, 0);
  assert.equal((await tally("stale", false, { name: "name-9000", network: "" })).failures, 1);
});

test("an operator sees who failed too often, the worst first, and lifts it", async () => {
  const ledger = worker.ledgers.getByName("listed");
  const home = { ...ANNA, network: "192.0.2.1/32" };
  await worker.ledgers.fail("listed", { name: "some", network: "" }, RULE, 9);
  await worker.ledgers.fail("listed", home, RULE, 10);
  await worker.ledgers.fail("listed", ANNA, RULE, 12);
  await worker.ledgers.fail("listed", { name: "old", network: "" }, RULE, 50);
  await worker.ledgers.exec("listed", "update failures set expires = 1 where name = 'old'");
  const listed = await ledger.list(10);
  assert.deepEqual(
    listed.map(({ name, network, failures }) => ({ name, network, failures })),
    [
      { ...ANNA, failures: 12 },
      { ...home, failures: 10 },
    ],
  );
  assert.ok(listed.every(({ expires }) => expires > Date.now()));

  assert.equal(await ledger.lift(ANNA.name), true);
  assert.deepEqual(await ledger.list(1), [
    { ...(await ledger.list(1))[0], name: "some", failures: 9 },
  ]);
  assert.equal((await tally("listed", false)).failures, 0);
  assert.equal(await ledger.lift(ANNA.name), false);
});

test("names that are SQL are names", async () => {
  const hostile = { name: "'; drop table failures; --", network: "" };
  await tally("hostile", true, hostile);
  assert.equal((await tally("hostile", false, hostile)).failures, 1);
});
