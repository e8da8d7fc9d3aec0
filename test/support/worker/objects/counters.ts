/** The Durable Objects that count failed logins. */
import type {
  FailureCount,
  FailureCounter,
  FailureCounters,
  LimitedKey,
} from "../../../../worker/penalties/counter.ts";
import type { TestObjects } from "./objects.ts";

export class TestCounters implements FailureCounters {
  readonly #objects: TestObjects;

  constructor(objects: TestObjects) {
    this.#objects = objects;
  }

  getByName(shard: string): FailureCounter {
    const call = async (method: keyof FailureCounter, ...args: unknown[]) => {
      const [answer] = await this.#objects.call(shard, method, args);
      return answer;
    };
    return {
      retract: (...args) => call("retract", ...args) as ReturnType<FailureCounter["retract"]>,
      tally: (...args) => call("tally", ...args) as ReturnType<FailureCounter["tally"]>,
      list: (...args) => call("list", ...args) as ReturnType<FailureCounter["list"]>,
      lift: (...args) => call("lift", ...args) as ReturnType<FailureCounter["lift"]>,
      note: (...args) => call("note", ...args) as ReturnType<FailureCounter["note"]>,
      noted: (...args) => call("noted", ...args) as ReturnType<FailureCounter["noted"]>,
    };
  }

  /** Reports this many simultaneous failures to one object. */
  async fail(
    shard: string,
    key: LimitedKey,
    window: number,
    times: number,
  ): Promise<FailureCount[]> {
    const answers = await this.#objects.call(shard, "tally", [[key], window, true], times);
    return (answers as FailureCount[][]).flat();
  }

  exec(shard: string, statement: string): Promise<Record<string, unknown>[]> {
    return this.#objects.exec(shard, statement);
  }

  evict(shard: string): Promise<void> {
    return this.#objects.evict(shard);
  }
}
