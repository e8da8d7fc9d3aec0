import assert from "node:assert/strict";
import { mock, test } from "node:test";
import {
  countAttempt,
  isBlocked,
  isNetworkBlocked,
  type LoginSource,
} from "../../../worker/penalties/attempts.ts";
import type { FailureCounter, FailureCounters } from "../../../worker/penalties/counter.ts";
import { penaltyLimits } from "../../../worker/penalties/limits.ts";
import { PenaltyStore } from "../../../worker/penalties/store.ts";
import { MemoryCounters } from "../../support/worker/counters.ts";

const LIMITS = penaltyLimits({} as Parameters<typeof penaltyLimits>[0]);
const ANNA = { user: "anna@example.test", login: "anna@example.test" };
const NETWORKS = ["2001:db8::/64", "2001:db8::/56", "2001:db8::/48"];
const STRANGER: LoginSource = { account: ANNA, networks: NETWORKS, known: false };
const KNOWN: LoginSource = { ...STRANGER, known: true };

const log = mock.method(console, "error", () => {});
mock.method(console, "warn", () => {});

/** A store with an empty cache. @param timeout ms; by default none that a busy machine meets */
function storeOf(counters: FailureCounters, timeout = 60_000) {
  const pending: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>) => void pending.push(work);
  const options = { cache: new Map<string, true>(), timeout };
  const store = new PenaltyStore(counters, LIMITS, waitUntil, options);
  return { store, pending };
}

/** A store over the memory of one directory of counts, as another isolate has it. */
function isolates() {
  const counters = new MemoryCounters(Date.now);
  return { counters, next: () => storeOf(counters).store };
}

const NO_PENALTY = { blocked: false, failureRatio: 0, blocksNetwork: false };

/** Fails from another /48 each time. */
async function failFromAnywhere(next: () => PenaltyStore, times: number, account = ANNA) {
  const penalties = [];
  for (let n = 0; n < times; n++) {
    const networks = ["64", "56", "48"].map((prefix) => `2001:db8:${n + 1}::/${prefix}`);
    penalties.push(await countAttempt(next(), { account, networks, known: false }, "failed"));
  }
  return penalties;
}

test("a right password from a known network costs no call to a Durable Object", async () => {
  const { counters, next } = isolates();
  assert.deepEqual(await countAttempt(next(), KNOWN, "succeeded"), {
    ...NO_PENALTY,
    trusted: true,
  });
  assert.deepEqual(counters.asked, []);
});

test("every other attempt asks one object for the account and one for all the networks", async () => {
  for (const [source, result] of [
    [KNOWN, "failed"],
    [STRANGER, "succeeded"],
    [STRANGER, "failed"],
    [STRANGER, "uncounted"],
  ] as const) {
    const { counters, next } = isolates();
    await countAttempt(next(), source, result);
    const asked = counters.asked.filter((name) => /^(account|network)-/.test(name)).toSorted();
    assert.match(asked.join(" "), /^account-[\da-f]{2} network-[\da-f]{2}$/);
  }
});

test("a client without a name is counted by its networks alone", async () => {
  const { counters, next } = isolates();
  await countAttempt(next(), { ...STRANGER, account: null }, "failed");
  assert.match(counters.asked.join(" "), /^network-[\da-f]{2}$/);
});

test("clients without a name share no block, and one network's block stops them before a token is verified", async () => {
  const { next } = isolates();
  const nameless = { ...STRANGER, account: null };
  for (let n = 0; n < 30; n++) {
    assert.equal(await isNetworkBlocked(next(), NETWORKS), false);
    assert.equal((await countAttempt(next(), nameless, "failed")).blocked, false);
  }
  assert.equal(await isNetworkBlocked(next(), NETWORKS), true);
  const elsewhere = ["192.0.2.1/32", "192.0.2.0/24"];
  assert.equal(await isNetworkBlocked(next(), elsewhere), false);
  const other = { ...nameless, networks: elsewhere };
  assert.equal((await countAttempt(next(), other, "succeeded")).blocked, false);
});

test("a network's failures are measured by the network's own limit, and the highest ratio counts", async () => {
  const { next } = isolates();
  const account = { user: "b", login: "b" };
  for (let n = 0; n < 14; n++) {
    await countAttempt(next(), { ...STRANGER, account: { user: `${n}`, login: `${n}` } }, "failed");
  }
  const penalty = await countAttempt(next(), { ...STRANGER, account }, "failed");
  assert.deepEqual(penalty, { ...NO_PENALTY, failureRatio: 0.5, trusted: false });
});

test("an isolate caches a block of the account, which does not stop a client from a known network", async () => {
  const { next } = isolates();
  await failFromAnywhere(next, 10);
  const store = next();
  assert.equal(isBlocked(store, STRANGER), false);
  assert.equal((await countAttempt(store, STRANGER, "succeeded")).blocked, true);
  assert.equal(isBlocked(store, STRANGER), true);
  assert.equal(isBlocked(store, KNOWN), false);
});

test("a block of the network stops its known users too, and takes the network's privilege away", async () => {
  const { next } = isolates();
  for (let n = 0; n < 30; n++) {
    await countAttempt(next(), { ...STRANGER, account: { user: `${n}`, login: `${n}` } }, "failed");
  }
  const store = next();
  assert.deepEqual(await countAttempt(store, KNOWN, "failed"), {
    ...NO_PENALTY,
    blocked: true,
    failureRatio: 1,
    trusted: false,
  });
  assert.equal(isBlocked(store, KNOWN), true);
});

test("only the failure that begins a network's block says so, and not one that is refused or taken back", async () => {
  const { next } = isolates();
  await failFromAnywhere(next, 10);
  const begun: boolean[] = [];
  for (let n = 0; n < 34; n++) {
    const login = `${n}`;
    // The 30th attempt is at an account that is blocked, so that its failure is taken back.
    const account = n === 29 ? ANNA : { user: login, login };
    const { blocksNetwork } = await countAttempt(next(), { ...STRANGER, account }, "failed");
    begun.push(blocksNetwork);
  }
  assert.deepEqual([begun.indexOf(true), begun.lastIndexOf(true)], [30, 30]);
});

test("a block of a wider network stops strangers, and not the known users of a network in it", async () => {
  const { next } = isolates();
  for (let n = 0; n < 120; n++) {
    const wide = ["2001:db8::/48"];
    const networks = [`2001:db8:0:${n}00::/64`, `2001:db8:0:${n}00::/56`, ...wide];
    const account = { user: `${n}`, login: `${n}` };
    assert.equal(
      (await countAttempt(next(), { account, networks, known: false }, "failed")).blocked,
      false,
    );
  }
  assert.equal((await countAttempt(next(), STRANGER, "succeeded")).blocked, true);
  assert.equal((await countAttempt(next(), KNOWN, "failed")).blocked, false);
});

test("the delays grow with the failures of a wider network", async () => {
  const { next } = isolates();
  for (let n = 0; n < 60; n++) {
    const networks = [`2001:db8:0:${n}00::/64`, `2001:db8:0:${n}00::/56`, "2001:db8::/48"];
    const account = { user: `${n}`, login: `${n}` };
    const penalty = await countAttempt(next(), { account, networks, known: false }, "failed");
    assert.equal(penalty.failureRatio, Math.max(0.1, (n + 1) / 120));
  }
});

test("failures from a network before it was known do not count against its trust", async () => {
  const { next } = isolates();
  for (let n = 0; n < 9; n++) await countAttempt(next(), STRANGER, "failed");
  for (let n = 0; n < 9; n++) {
    assert.equal((await countAttempt(next(), KNOWN, "failed")).trusted, true);
  }
  assert.equal((await countAttempt(next(), KNOWN, "failed")).trusted, false);
});

test("a right password during a block does not make the network known", async () => {
  const { next } = isolates();
  await failFromAnywhere(next, 10);
  assert.equal((await countAttempt(next(), STRANGER, "succeeded")).trusted, false);
});

test("of simultaneous guesses from a known network, only as many are answered as are permitted", async () => {
  const { next } = isolates();
  const guesses = Array.from({ length: 30 }, () => countAttempt(next(), KNOWN, "failed"));
  const answered = (await Promise.all(guesses)).filter(({ blocked }) => !blocked);
  assert.equal(answered.length, 10);
});

test("a network that lost its trust is no longer known, even if the directory still lists it", async () => {
  const { next } = isolates();
  for (let n = 0; n < 10; n++) await countAttempt(next(), KNOWN, "failed");
  const store = next();
  assert.equal((await countAttempt(store, KNOWN, "failed")).trusted, false);
  assert.equal(isBlocked(store, KNOWN), true);
  assert.equal((await countAttempt(store, KNOWN, "succeeded")).trusted, false);
});

test("guesses that a blocked network may not make do not block accounts", async () => {
  const { next } = isolates();
  for (let n = 0; n < 30; n++) {
    await countAttempt(next(), { ...STRANGER, account: { user: `${n}`, login: `${n}` } }, "failed");
  }
  for (let n = 0; n < 20; n++) {
    assert.equal((await countAttempt(next(), STRANGER, "failed")).blocked, true);
  }
  const elsewhere = { ...STRANGER, networks: ["192.0.2.1/32", "192.0.2.0/24"] };
  const { blocked, failureRatio } = await countAttempt(next(), elsewhere, "failed");
  assert.deepEqual([blocked, failureRatio], [false, 0.1]);
});

test("a mail program with an old password does not block its network", async () => {
  const { next } = isolates();
  for (let n = 0; n < 100; n++) await countAttempt(next(), STRANGER, "failed");
  const colleague = { ...STRANGER, account: { user: "bert", login: "bert" } };
  const { blocked, failureRatio } = await countAttempt(next(), colleague, "failed");
  assert.deepEqual([blocked, failureRatio], [false, 11 / 30]);
});

test("guesses at an alias leave the answers to guesses at its owner as they are", async () => {
  const { next } = isolates();
  const unrelated = await failFromAnywhere(next, 12, { user: "bert", login: "bert" });
  await failFromAnywhere(next, 12, { user: ANNA.user, login: "alias@example.test" });
  assert.deepEqual(await failFromAnywhere(next, 12), unrelated);
});

test("aliases multiply the guesses at a password by three at most", async () => {
  const { next } = isolates();
  let answered = 0;
  for (let n = 0; n < 10; n++) {
    const penalties = await failFromAnywhere(next, 12, { user: ANNA.user, login: `alias-${n}` });
    answered += penalties.filter(({ blocked }) => !blocked).length;
  }
  assert.equal(answered, LIMITS.user);
});

const FAULTS: Record<string, { tally: FailureCounter["tally"] }> = {
  fails: { tally: () => Promise.reject(new Error("overloaded")) },
  "never answers": { tally: () => new Promise(() => {}) },
};

/** Counters whose objects answer so. */
function counting(tally: FailureCounter["tally"]): FailureCounters {
  const rest = new MemoryCounters(Date.now).getByName("rest");
  return { getByName: () => ({ ...rest, tally }) };
}

for (const [fault, { tally }] of Object.entries(FAULTS)) {
  test(`an object that ${fault} does not stop logins`, async () => {
    const { store } = storeOf(counting(tally), 20);
    const penalty = await countAttempt(store, STRANGER, "failed");
    assert.deepEqual(penalty, { ...NO_PENALTY, trusted: false });
    assert.equal((await countAttempt(store, STRANGER, "succeeded")).blocked, false);
    assert.deepEqual(await countAttempt(store, KNOWN, "failed"), { ...NO_PENALTY, trusted: true });
    assert.equal(store.failedOpen, true);
  });
}

test("a failure is counted even if the object answers after the timeout", async () => {
  const { promise, resolve } = Promise.withResolvers<[]>();
  const { store, pending } = storeOf(
    counting(() => promise),
    20,
  );
  await countAttempt(store, STRANGER, "failed");
  assert.ok(pending.length >= 2);
  resolve([]);
  await Promise.all(pending);
});

test("a failing object causes no rejection after the response", async () => {
  const { store, pending } = storeOf(counting(() => Promise.reject(new Error("overloaded"))));
  await countAttempt(store, STRANGER, "failed");
  await Promise.all(pending);
  assert.ok(log.mock.callCount() > 0);
});
