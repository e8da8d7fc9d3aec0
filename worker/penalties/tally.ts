/** The rules of counting, apart from the storage of the counts. */
import type { CounterKey, FailureCount, LimitedKey } from "./counter.ts";

export interface CountTable {
  /** @returns null if nothing is stored */
  read(key: CounterKey): FailureCount | null;
  /** Called only with a key that was read before, without an `await` between. */
  write(key: LimitedKey, count: FailureCount): void;
}

/**
 * Counts an attempt (`FailureCounter.tally`).
 *
 * @param now ms since the epoch
 */
export function tally(
  table: CountTable,
  keys: readonly LimitedKey[],
  window: number,
  failed: boolean,
  now: number,
): { readonly counts: FailureCount[]; readonly added: boolean } {
  const found = keys.map((key) => ({ key, count: current(table.read(key), now, window) }));
  const refused = found.some(
    ({ key, count }) => key.effect === "refuse" && count.failures >= key.permitted,
  );
  // A refused attempt writes nothing, so that time does not tell a right password from a wrong one.
  if (!failed || refused) return { counts: found.map(({ count }) => count), added: false };
  const counts = found.map(({ key, count: { failures, expires } }) => {
    if (key.effect === "read") return { failures, expires };
    // The last permitted failure begins a block. Later failures do not prolong it.
    const until = failures + 1 === key.permitted ? now + window : expires;
    table.write(key, { failures: failures + 1, expires: until });
    return { failures, expires: until };
  });
  return { counts, added: true };
}

/** An expiry that was written before the clock was set back, or with a longer window, is cut to this one. */
function current(stored: FailureCount | null, now: number, window: number): FailureCount {
  const latest = now + window;
  return stored !== null && stored.expires > now
    ? { failures: stored.failures, expires: Math.min(stored.expires, latest) }
    : { failures: 0, expires: latest };
}
