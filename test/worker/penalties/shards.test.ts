import assert from "node:assert/strict";
import { test } from "node:test";
import { listBlocks } from "../../../worker/penalties/blocks.ts";
import type { Entry, Ledger } from "../../../worker/penalties/counter.ts";
import { ledgerOf } from "../../../worker/penalties/shards.ts";

const unreachable: Ledger = {
  tally: () => assert.fail(),
  list: () => assert.fail(),
  lift: () => assert.fail(),
  note: () => assert.fail(),
  noted: () => assert.fail(),
};

test("names are spread over 256 objects of each kind, always in the same way", async () => {
  const asked = new Map<string, number>();
  const ledgers = {
    getByName(name: string) {
      asked.set(name, (asked.get(name) ?? 0) + 1);
      return unreachable;
    },
  };
  for (let n = 0; n < 5000; n++) await ledgerOf(ledgers, "account", `user-${n}@example.test`);
  assert.equal(asked.size, 256);
  assert.ok(Math.max(...asked.values()) < 50, "19 are expected of each");
  const names = new Set(asked.keys());
  for (let n = 0; n < 5000; n++) await ledgerOf(ledgers, "account", `user-${n}@example.test`);
  assert.deepEqual(new Set(asked.keys()), names);
  for (let n = 0; n < 5000; n++) await ledgerOf(ledgers, "network", `user-${n}@example.test`);
  assert.equal(asked.size, 512);
});

test("an operator sees the blocks of all objects that have some, the worst first, and wakes no others", async () => {
  const entry = (name: string, failures: number) => ({ name, network: "", failures, expires: 1 });
  const listed: Record<string, Entry[]> = {
    "account-00": [entry("anna", 11), entry("bert", 10)],
    "account-ff": [entry("carl", 99)],
    "network-7f": [entry("192.0.2.1/32", 31)],
  };
  const permitted = { account: 10, network: 30 };
  const ledgers = {
    getByName: (shard: string): Ledger => ({
      ...unreachable,
      async noted() {
        assert.equal(shard, "blocks");
        return Object.keys(listed);
      },
      async list(failures) {
        assert.equal(failures, shard.startsWith("account") ? permitted.account : permitted.network);
        return listed[shard] ?? assert.fail(shard);
      },
    }),
  };
  const blocks = await listBlocks(ledgers, {
    account: { failures: permitted.account, window: 1 },
    network: { failures: permitted.network, window: 1 },
  });
  assert.deepEqual(blocks, [
    { ...entry("carl", 99), kind: "account" },
    { ...entry("192.0.2.1/32", 31), kind: "network" },
    { ...entry("anna", 11), kind: "account" },
    { ...entry("bert", 10), kind: "account" },
  ]);
});
