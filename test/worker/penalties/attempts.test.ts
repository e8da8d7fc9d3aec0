import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { isTurnedAway, judge } from "../../../worker/penalties/attempts.ts";
import type { Ledger, Ledgers } from "../../../worker/penalties/counter.ts";
import { Standings } from "../../../worker/penalties/store.ts";

const RULE = { failures: 10, window: 600_000 };
const RULES = { account: RULE, network: { ...RULE, failures: 30 } };
const STRANGER = { account: "anna@example.test", network: "192.0.2.1/32", known: false };
const KNOWN = { ...STRANGER, known: true };

const log = mock.method(console, "error", () => {});
mock.method(console, "warn", () => {});

interface Stand {
  /** Failures so far, by `account` or `network`. */
  readonly failures?: Readonly<Record<string, number>>;
  readonly tally?: Ledger["tally"];
}

/** Objects that say what a test wants, and Standings of an isolate that remembers nothing. */
function standIn({ failures = {}, tally }: Stand = {}) {
  const asked: string[] = [];
  const kept: Promise<unknown>[] = [];
  const ledgers: Ledgers = {
    getByName(shard) {
      asked.push(shard);
      const [kind = ""] = shard.split("-");
      return {
        list: () => Promise.resolve([]),
        lift: () => Promise.resolve(false),
        note: () => Promise.resolve(),
        noted: () => Promise.resolve([]),
        tally:
          tally ??
          (async (subjects) =>
            subjects.map(() => ({ failures: failures[kind] ?? 0, expires: Date.now() + 60_000 }))),
      };
    },
  };
  const keep = (work: Promise<unknown>) => void kept.push(work);
  const options = { memory: new Map<string, true>(), patience: 20 };
  return { asked, kept, standings: new Standings(ledgers, RULES, keep, options) };
}

const GO_ON = { blocked: false, pressure: 0 };

test("a right password from a known network asks no object at all", async () => {
  const { standings, asked } = standIn({ failures: { account: 99, network: 99 } });
  assert.deepEqual(await judge(standings, KNOWN, "proved"), { ...GO_ON, trusted: true });
  assert.deepEqual(asked, []);
});

test("everybody else asks the account's object and the network's", async () => {
  const shards = [/^account-[\da-f]{2}$/, /^network-[\da-f]{2}$/];
  for (const [claimant, trial] of [
    [KNOWN, "failed"],
    [STRANGER, "proved"],
    [STRANGER, "failed"],
    [STRANGER, "unproved"],
  ] as const) {
    const { standings, asked } = standIn();
    await judge(standings, claimant, trial);
    assert.equal(asked.length, 2);
    for (const shard of shards) assert.ok(asked.some((name) => shard.test(name)));
  }
});

test("the network's failures count as the account's do, by their own measure", async () => {
  const { standings } = standIn({ failures: { account: 1, network: 14 } });
  const judgement = await judge(standings, STRANGER, "failed");
  assert.deepEqual(judgement, { blocked: false, pressure: 0.5, trusted: false });
});

test("a block is remembered by the isolate, except for who is known", async () => {
  for (const failures of [{ account: 10 }, { network: 30 }]) {
    const { standings } = standIn({ failures });
    assert.equal(isTurnedAway(standings, STRANGER), false);
    assert.equal((await judge(standings, STRANGER, "proved")).blocked, true);
    assert.equal(isTurnedAway(standings, STRANGER), true);
    assert.equal(isTurnedAway(standings, { ...STRANGER, account: "", network: null }), false);
  }
});

test("a right password during a block makes no network known", async () => {
  for (const failures of [{ account: 10 }, { network: 30 }]) {
    const { standings } = standIn({ failures });
    assert.equal((await judge(standings, STRANGER, "proved")).trusted, false);
  }
});

test("who lost the privilege is known no more, even if the directory still says so", async () => {
  const failures = { account: 9 };
  const { standings } = standIn({ failures });
  assert.equal((await judge(standings, KNOWN, "failed")).trusted, false);
  failures.account += 1;
  assert.equal(isTurnedAway(standings, KNOWN), true);
  assert.equal((await judge(standings, KNOWN, "proved")).trusted, false);
});

const TROUBLES: Record<string, { tally: Ledger["tally"]; logged: RegExp }> = {
  fails: { tally: () => Promise.reject(new Error("overloaded")), logged: /Error: overloaded/ },
  "never answers": { tally: () => new Promise(() => {}), logged: /no answer within 20 ms/ },
};

for (const [trouble, { tally, logged }] of Object.entries(TROUBLES)) {
  test(`an object that ${trouble} stops nobody, and is logged`, async () => {
    const { standings } = standIn({ tally });
    assert.deepEqual(await judge(standings, STRANGER, "failed"), { ...GO_ON, trusted: false });
    assert.equal((await judge(standings, STRANGER, "proved")).blocked, false);
    assert.deepEqual(await judge(standings, KNOWN, "failed"), { ...GO_ON, trusted: true });
    assert.match(String(log.mock.calls.at(-1)?.arguments[0]), logged);
  });
}

test("a failure is counted although nobody waits so long", async () => {
  const { promise, resolve } = Promise.withResolvers<[]>();
  const { standings, kept } = standIn({ tally: () => promise });
  await judge(standings, STRANGER, "failed");
  assert.equal(kept.length, 2);
  resolve([]);
  await Promise.all(kept);
});

test("a failing object rejects nothing that is kept", async () => {
  const { standings, kept } = standIn({ tally: () => Promise.reject(new Error("overloaded")) });
  await judge(standings, STRANGER, "failed");
  await Promise.all(kept);
});
