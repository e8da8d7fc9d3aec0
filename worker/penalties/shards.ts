import type { FailureCounter, FailureCounters } from "./counter.ts";

/** Failures are counted for accounts and for networks, and sampled for domains and for all logins (`alarms.ts`). */
export type CounterKind = "account" | "network" | "domain" | "all";

/** The name of the object that counts nothing and records which shards have blocks. */
const INDEX = "blocks";

/** The name of the object that counts for a name: `account-00` to `account-ff`, `network-00` to `network-ff`. */
export async function shardOf(kind: CounterKind, name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  const [byte = 0] = new Uint8Array(digest);
  return `${kind}-${byte.toString(16).padStart(2, "0")}`;
}

export function kindOf(shard: string): CounterKind {
  const kinds: readonly CounterKind[] = ["account", "network", "domain", "all"];
  return kinds.find((kind) => shard.startsWith(`${kind}-`)) ?? "account";
}

export async function counterOf(
  counters: FailureCounters,
  kind: CounterKind,
  name: string,
): Promise<FailureCounter> {
  return counters.getByName(await shardOf(kind, name));
}

export function blockIndex(counters: FailureCounters): FailureCounter {
  return counters.getByName(INDEX);
}
