import type { Ledger, Ledgers } from "./counter.ts";

/** What failures are counted for. */
export type Kind = "account" | "network";

/** The object that counts nobody's failures, and knows which others have blocks. */
const INDEX = "blocks";

/** The name of the object that counts for this name: `account-00` to `account-ff`, likewise `network-…`. */
export async function shardOf(kind: Kind, name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  const [byte = 0] = new Uint8Array(digest);
  return `${kind}-${byte.toString(16).padStart(2, "0")}`;
}

export function kindOf(shard: string): Kind {
  return shard.startsWith("account-") ? "account" : "network";
}

export async function ledgerOf(ledgers: Ledgers, kind: Kind, name: string): Promise<Ledger> {
  return ledgers.getByName(await shardOf(kind, name));
}

export function indexOf(ledgers: Ledgers): Ledger {
  return ledgers.getByName(INDEX);
}
