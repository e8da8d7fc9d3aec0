/** What an operator may see and do. */
import type { Entry, Ledgers, Rule } from "./counter.ts";
import { indexOf, type Kind, kindOf, ledgerOf } from "./shards.ts";

export interface Block extends Entry {
  readonly kind: Kind;
}

/** All that is blocked now, the worst first. */
export async function listBlocks(
  ledgers: Ledgers,
  rules: Readonly<Record<Kind, Rule>>,
): Promise<readonly Block[]> {
  const shards = await indexOf(ledgers).noted();
  const lists = shards.map(async (shard) => {
    const kind = kindOf(shard);
    const entries = await ledgers.getByName(shard).list(rules[kind].failures);
    return entries.map((entry) => ({ ...entry, kind }));
  });
  return (await Promise.all(lists)).flat().toSorted((a, b) => b.failures - a.failures);
}

/** @returns false if nothing was counted for this name */
export async function liftBlock(ledgers: Ledgers, kind: Kind, name: string): Promise<boolean> {
  const ledger = await ledgerOf(ledgers, kind, name);
  return ledger.lift(name);
}
