import assert from "node:assert/strict";
import { test } from "node:test";
import { liftBlock, listBlocks } from "../../../worker/penalties/blocks.ts";
import type { CounterEntry, FailureCounter } from "../../../worker/penalties/counter.ts";
import { counterOf } from "../../../worker/penalties/shards.ts";

const unreachable: FailureCounter = {
  tally: () => assert.fail(),
  retract: () => assert.fail(),
  list: () => assert.fail(),
  lift: () => assert.fail(),
  note: () => assert.fail(),
  noted: () => assert.fail(),
};

test("names are spread over 256 objects of each kind, the same name always to the same object", async () => {
  const asked = new Map<string, number>();
  const counters = {
    getByName(name: string) {
      asked.set(name, (asked.get(name) ?? 0) + 1);
      return unreachable;
    },
  };
  for (let n = 0; n < 5000; n++) await counterOf(counters, "account", `user-${n}@example.test`);
  assert.equal(asked.size, 256);
  assert.ok(Math.max(...asked.values()) < 50, "19 are expected of each");
  const names = new Set(asked.keys());
  for (let n = 0; n < 5000; n++) await counterOf(counters, "account", `user-${n}@example.test`);
  assert.deepEqual(new Set(asked.keys()), names);
  for (let n = 0; n < 5000; n++) await counterOf(counters, "network", `user-${n}@example.test`);
  assert.equal(asked.size, 512);
});

test("listing blocks asks only the objects that have some, and puts the highest count first", async () => {
  const entry = (name: string, failures: number) => {
    return { name, login: "", network: "", failures, expires: 1 };
  };
  const listed: Record<string, CounterEntry[]> = {
    "account-00": [entry("anna", 11), entry("bert", 10)],
    "account-ff": [entry("carl", 99)],
    "network-7f": [entry("192.0.2.1/32", 31), entry("192.0.2.0/24", 120)],
    // Two of the objects that share a domain's samples.
    "domain-01": [entry("example.test", 63)],
    "domain-02": [entry("example.test", 64)],
  };
  const counters = {
    getByName: (shard: string): FailureCounter => ({
      ...unreachable,
      async noted() {
        assert.equal(shard, "blocks");
        return Object.keys(listed);
      },
      list: async () => listed[shard] ?? assert.fail(shard),
    }),
  };
  assert.deepEqual(await listBlocks(counters), [
    { ...entry("example.test", 8 * 127), kind: "domain" },
    { ...entry("192.0.2.0/24", 120), kind: "network" },
    { ...entry("carl", 99), kind: "account" },
    { ...entry("192.0.2.1/32", 31), kind: "network" },
    { ...entry("anna", 11), kind: "account" },
    { ...entry("bert", 10), kind: "account" },
  ]);
});

test("lifting the block of a network of any width asks the object that counts for all widths", async () => {
  for (const names of [
    ["192.0.2.7/32", "192.0.2.0/24"],
    ["2001:db8:0:1::/64", "2001:db8::/56", "2001:db8::/48"],
  ]) {
    const asked: string[] = [];
    const counters = {
      getByName(shard: string): FailureCounter {
        asked.push(shard);
        return { ...unreachable, lift: async (name) => names.includes(name) };
      },
    };
    for (const name of names) assert.equal(await liftBlock(counters, "network", name), true);
    assert.equal(new Set(asked).size, 1);
  }
});
