/** Counters in memory with the rules of the Durable Objects, for a clock of the test and for orders of events. */
import type {
  CounterEntry,
  CounterKey,
  FailureCount,
  FailureCounter,
  FailureCounters,
  LimitedKey,
} from "../../../worker/penalties/counter.ts";
import { tally } from "../../../worker/penalties/tally.ts";

export class MemoryCounters implements FailureCounters {
  readonly #objects = new Map<string, FailureCounter>();
  readonly #now: () => number;

  /** @param now ms since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The names of the objects that were asked. */
  get asked(): readonly string[] {
    return [...this.#objects.keys()];
  }

  getByName(name: string): FailureCounter {
    const object = this.#objects.get(name) ?? memoryCounter(this.#now);
    this.#objects.set(name, object);
    return object;
  }
}

function memoryCounter(now: () => number): FailureCounter {
  const counts = new Map<string, CounterEntry & Pick<LimitedKey, "permitted">>();
  const textOf = ({ name, login, network }: CounterKey) => JSON.stringify([name, login, network]);
  const table = {
    read: (key: CounterKey) => counts.get(textOf(key)) ?? null,
    write: ({ name, login, network, permitted }: LimitedKey, count: FailureCount) => {
      counts.set(textOf({ name, login, network }), { name, login, network, permitted, ...count });
    },
  };
  return {
    tally: async (keys, window, failed) => tally(table, keys, window, failed, now()).counts,
    async retract(counted) {
      for (const key of counted) {
        const stored = counts.get(textOf(key));
        if (stored?.expires !== key.expires) continue;
        counts.set(textOf(key), { ...stored, failures: stored.failures - 1 });
      }
    },
    list: async () =>
      [...counts.values()].filter(({ failures, permitted }) => failures >= permitted),
    async lift(name) {
      const named = [...counts].filter(([, entry]) => entry.name === name);
      for (const [key] of named) counts.delete(key);
      return named.length > 0;
    },
    note: async () => {},
    noted: async () => [],
  };
}
