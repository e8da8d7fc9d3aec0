import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { isBlocked, countAttempt } from "../../../worker/penalties/attempts.ts";
import type { FailureCounter, FailureCounters } from "../../../worker/penalties/counter.ts";
import { PenaltyStore } from "../../../worker/penalties/store.ts";

const LIMIT = { failures: 10, window: 600_000 };
const LIMITS = { account: LIMIT, network: { ...LIMIT, failures: 30 } };
const STRANGER = { account: "anna@example.test", network: "192.0.2.1/32", known: false };
const KNOWN = { ...STRANGER, known: true };

const log = mock.method(console, "error", () => {});
mock.method(console, "warn", () => {});

interface Counts {
  /** Failures so far, by `account` or `network`. */
  readonly failures?: Readonly<Record<string, number>>;
  readonly tally?: FailureCounter["tally"];
}

/** A store with an empty cache, whose counters give these answers. */
function storeWith({ failures = {}, tally }: Counts = {}) {
  const asked: string[] = [];
  const pending: Promise<unknown>[] = [];
  const counters: FailureCounters = {
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
          (async (keys) =>
            keys.map(() => ({ failures: failures[kind] ?? 0, expires: Date.now() + 60_000 }))),
      };
    },
  };
  const waitUntil = (work: Promise<unknown>) => void pending.push(work);
  const options = { cache: new Map<string, true>(), timeout: 20 };
  return { asked, pending, store: new PenaltyStore(counters, LIMITS, waitUntil, options) };
}

const NO_PENALTY = { blocked: false, failureRatio: 0 };

test("a right password from a known network costs no call to a Durable Object", async () => {
  const { store, asked } = storeWith({ failures: { account: 99, network: 99 } });
  assert.deepEqual(await countAttempt(store, KNOWN, "succeeded"), { ...NO_PENALTY, trusted: true });
  assert.deepEqual(asked, []);
});

test("every other attempt asks the account's object and the network's", async () => {
  const shards = [/^account-[\da-f]{2}$/, /^network-[\da-f]{2}$/];
  for (const [source, result] of [
    [KNOWN, "failed"],
    [STRANGER, "succeeded"],
    [STRANGER, "failed"],
    [STRANGER, "uncounted"],
  ] as const) {
    const { store, asked } = storeWith();
    await countAttempt(store, source, result);
    assert.equal(asked.length, 2);
    for (const shard of shards) assert.ok(asked.some((name) => shard.test(name)));
  }
});

test("a network's failures are measured by the network's own limit", async () => {
  const { store } = storeWith({ failures: { account: 1, network: 14 } });
  const penalty = await countAttempt(store, STRANGER, "failed");
  assert.deepEqual(penalty, { blocked: false, failureRatio: 0.5, trusted: false });
});

test("an isolate caches a block, which does not stop a client from a known network", async () => {
  for (const failures of [{ account: 10 }, { network: 30 }]) {
    const { store } = storeWith({ failures });
    assert.equal(isBlocked(store, STRANGER), false);
    assert.equal((await countAttempt(store, STRANGER, "succeeded")).blocked, true);
    assert.equal(isBlocked(store, STRANGER), true);
    assert.equal(isBlocked(store, { ...STRANGER, account: "", network: null }), false);
  }
});

test("a right password during a block does not make the network known", async () => {
  for (const failures of [{ account: 10 }, { network: 30 }]) {
    const { store } = storeWith({ failures });
    assert.equal((await countAttempt(store, STRANGER, "succeeded")).trusted, false);
  }
});

test("a network that lost its trust is no longer known, even if the directory still lists it", async () => {
  const failures = { account: 9 };
  const { store } = storeWith({ failures });
  assert.equal((await countAttempt(store, KNOWN, "failed")).trusted, false);
  failures.account += 1;
  assert.equal(isBlocked(store, KNOWN), true);
  assert.equal((await countAttempt(store, KNOWN, "succeeded")).trusted, false);
});

const FAULTS: Record<string, { tally: FailureCounter["tally"]; logged: RegExp }> = {
  fails: { tally: () => Promise.reject(new Error("overloaded")), logged: /Error: overloaded/ },
  "never answers": { tally: () => new Promise(() => {}), logged: /no answer within 20 ms/ },
};

for (const [fault, { tally, logged }] of Object.entries(FAULTS)) {
  test(`an object that ${fault} does not stop logins, and is logged`, async () => {
    const { store } = storeWith({ tally });
    assert.deepEqual(await countAttempt(store, STRANGER, "failed"), {
      ...NO_PENALTY,
      trusted: false,
    });
    assert.equal((await countAttempt(store, STRANGER, "succeeded")).blocked, false);
    assert.deepEqual(await countAttempt(store, KNOWN, "failed"), { ...NO_PENALTY, trusted: true });
    assert.match(String(log.mock.calls.at(-1)?.arguments[0]), logged);
  });
}

test("a failure is counted even if the object answers after the timeout", async () => {
  const { promise, resolve } = Promise.withResolvers<[]>();
  const { store, pending } = storeWith({ tally: () => promise });
  await countAttempt(store, STRANGER, "failed");
  assert.equal(pending.length, 2);
  resolve([]);
  await Promise.all(pending);
});

test("a failing object causes no rejection after the response", async () => {
  const { store, pending } = storeWith({ tally: () => Promise.reject(new Error("overloaded")) });
  await countAttempt(store, STRANGER, "failed");
  await Promise.all(pending);
});
