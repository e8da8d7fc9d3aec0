import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { isUnderAttack, sampleFailure } from "../../../worker/penalties/alarms.ts";
import { penaltyLimits } from "../../../worker/penalties/limits.ts";
import { MemoryCounters } from "../../support/worker/counters.ts";

const warnings = mock.method(console, "warn", () => {});
beforeEach(() => warnings.mock.resetCalls());

/** 64 failures of a domain are two samples in each of four objects. */
const LIMITS = {
  ...penaltyLimits({} as Parameters<typeof penaltyLimits>[0]),
  domain: 64,
  all: 1_000_000,
};

/** Fails this often; of eight failures the first one is sampled, in each of the four objects in turn. */
async function fail(counters: MemoryCounters, times: number, login: string, limits = LIMITS) {
  for (let n = 0; n < times; n++) {
    const numbers = [(n % 8) / 8, (Math.floor(n / 8) % 4) / 4];
    await sampleFailure(counters, limits, login, () => numbers.shift()!);
  }
}

const samplesOf = async (counters: MemoryCounters, kind: string) => {
  const shards = counters.asked.filter((name) => name.startsWith(`${kind}-`));
  const lists = await Promise.all(shards.map((shard) => counters.getByName(shard).list()));
  return lists.flat();
};

test("one failure of eight is counted, in one of four objects for the domain and for all logins", async () => {
  const counters = new MemoryCounters(Date.now);
  await fail(counters, 7, "anna@quiet.test");
  assert.equal(counters.asked.filter((name) => name !== "blocks").length, 2);
  await fail(counters, 32, "anna@quiet.test");
  assert.equal(counters.asked.filter((name) => name.startsWith("domain-")).length, 4);
  assert.ok(counters.asked.filter((name) => name.startsWith("all-")).length <= 4);
});

test("as many failures of a domain as are permitted raise an alarm for its logins alone, and one line", async () => {
  const counters = new MemoryCounters(Date.now);
  await fail(counters, 32, "anna@loud.test");
  assert.equal(isUnderAttack("bert@loud.test"), false);
  await fail(counters, 32, "carl@loud.test");
  assert.equal(isUnderAttack("bert@loud.test"), true);
  assert.equal(isUnderAttack("bert@other.test"), false);
  assert.equal(isUnderAttack("bare"), false);
  const lines = warnings.mock.calls.map(({ arguments: [line] }) => String(line));
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /many logins fail.*"kind":"domain".*"domain":"loud\.test"/);
  const samples = await samplesOf(counters, "domain");
  assert.deepEqual(
    samples.map(({ name, failures }) => `${name} ${failures}`),
    Array<string>(4).fill("loud.test 2"),
  );
});

test("many failures of many domains raise an alarm for all logins, whose line names none", async () => {
  const counters = new MemoryCounters(Date.now);
  for (let n = 0; n < 64; n++) await fail(counters, 8, `bare-${n}`, { ...LIMITS, all: 64 });
  assert.equal(isUnderAttack("bert@other.test"), true);
  assert.equal(isUnderAttack("bare"), true);
  const lines = warnings.mock.calls.map(({ arguments: [line] }) => String(line));
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0]!, /bare/);
});

test("an alarm that cannot be counted is logged, and stops nothing", async () => {
  const errors = mock.method(console, "error", () => {});
  const counters = {
    getByName: () => {
      throw new Error("overloaded");
    },
  };
  await sampleFailure(counters, LIMITS, "anna@example.test", () => 0);
  assert.match(String(errors.mock.calls[0]?.arguments[0]), /an alarm misses a failure.*overloaded/);
});
