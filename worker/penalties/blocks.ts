/** The blocks that operators list and lift. */
import type { CounterEntry, FailureCounters, FailureLimit } from "./counter.ts";
import { blockIndex, type CounterKind, counterOf, kindOf } from "./shards.ts";

export interface LoginBlock extends CounterEntry {
  readonly kind: CounterKind;
}

/** Lists all blocks, the highest count first. */
export async function listBlocks(
  counters: FailureCounters,
  limits: Readonly<Record<CounterKind, FailureLimit>>,
): Promise<readonly LoginBlock[]> {
  const shards = await blockIndex(counters).noted();
  const lists = shards.map(async (shard) => {
    const kind = kindOf(shard);
    const entries = await counters.getByName(shard).list(limits[kind].failures);
    return entries.map((entry) => ({ ...entry, kind }));
  });
  return (await Promise.all(lists)).flat().toSorted((a, b) => b.failures - a.failures);
}

/** @returns false if no failures were counted for this name */
export async function liftBlock(
  counters: FailureCounters,
  kind: CounterKind,
  name: string,
): Promise<boolean> {
  const counter = await counterOf(counters, kind, name);
  return counter.lift(name);
}
