/** The blocks that operators list and lift, and the alarms. */
import { parseNetwork } from "../../shared/address.ts";
import { FAILURES_PER_SAMPLE } from "./alarms.ts";
import type { CounterEntry, FailureCounters } from "./counter.ts";
import { clientNetworks } from "./networks.ts";
import { blockIndex, type CounterKind, counterOf, kindOf } from "./shards.ts";

/** For the kinds `domain` and `all` it is an alarm, and its number of failures is an estimate. */
export interface LoginBlock extends CounterEntry {
  readonly kind: CounterKind;
}

/** Lists all blocks and alarms, the highest count first. */
export async function listBlocks(counters: FailureCounters): Promise<readonly LoginBlock[]> {
  const shards = await blockIndex(counters).noted();
  const lists = shards.map(async (shard) => {
    const kind = kindOf(shard);
    const entries = await counters.getByName(shard).list();
    return entries.map((entry) => ({ ...entry, kind }));
  });
  const entries = (await Promise.all(lists)).flat();
  const sampled = Map.groupBy(entries.filter(isAlarm), ({ kind, name }) => `${kind} ${name}`);
  const alarms = [...sampled.values()].flatMap((samples) => {
    const failures = samples.reduce((sum, sample) => sum + sample.failures, 0);
    return samples.slice(0, 1).map((first) => ({
      ...first,
      failures: failures * FAILURES_PER_SAMPLE,
    }));
  });
  const blocks = entries.filter((entry) => !isAlarm(entry));
  return [...blocks, ...alarms].toSorted((a, b) => b.failures - a.failures);
}

/**
 * Forgets the failures of an account, under all of its names, or of a network of `clientNetworks`.
 *
 * @returns false if no failures were counted for this name
 */
export async function liftBlock(
  counters: FailureCounters,
  kind: "account" | "network",
  name: string,
): Promise<boolean> {
  const counter = await counterOf(counters, kind, kind === "account" ? name : widest(name));
  return counter.lift(name);
}

/** One object counts for all networks of a client, and the widest chooses it. */
function widest(name: string): string {
  return clientNetworks(parseNetwork(name)?.address ?? null).at(-1) ?? name;
}

function isAlarm({ kind }: LoginBlock): boolean {
  return kind === "domain" || kind === "all";
}
