import type { Ledger, Ledgers } from "./ledger.ts";

/** What failures are counted for. */
export type Kind = "account" | "network";

/** The object that counts for this name: one of 256 for each kind. */
export async function ledgerOf(ledgers: Ledgers, kind: Kind, name: string): Promise<Ledger> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return ledgers.getByName(shard(kind, new Uint8Array(digest)[0] ?? 0));
}

/** Every object of a kind, to ask all of them. */
export function allLedgers(ledgers: Ledgers, kind: Kind): readonly Ledger[] {
  return Array.from({ length: 256 }, (_, byte) => ledgers.getByName(shard(kind, byte)));
}

/** `account-00` to `account-ff`. */
function shard(kind: Kind, byte: number): string {
  return `${kind}-${byte.toString(16).padStart(2, "0")}`;
}
