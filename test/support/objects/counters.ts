/** The objects that count failures. */
import type { Ledger, Ledgers, Rule, Subject, Tally } from "../../../worker/penalties/counter.ts";
import type { TestObjects } from "./objects.ts";

export class TestLedgers implements Ledgers {
  readonly #objects: TestObjects;

  constructor(objects: TestObjects) {
    this.#objects = objects;
  }

  getByName(shard: string): Ledger {
    const call = async (method: keyof Ledger, ...args: unknown[]) => {
      const [answer] = await this.#objects.call(shard, method, args);
      return answer;
    };
    return {
      tally: (...args) => call("tally", ...args) as ReturnType<Ledger["tally"]>,
      list: (...args) => call("list", ...args) as ReturnType<Ledger["list"]>,
      lift: (...args) => call("lift", ...args) as ReturnType<Ledger["lift"]>,
      note: (...args) => call("note", ...args) as ReturnType<Ledger["note"]>,
      noted: (...args) => call("noted", ...args) as ReturnType<Ledger["noted"]>,
    };
  }

  /** Tells one of them of so many failures at the same moment. */
  async fail(shard: string, subject: Subject, rule: Rule, times: number): Promise<Tally[]> {
    const answers = await this.#objects.call(shard, "tally", [[subject], rule, true], times);
    return (answers as Tally[][]).flat();
  }

  exec(shard: string, statement: string): Promise<Record<string, unknown>[]> {
    return this.#objects.exec(shard, statement);
  }

  evict(shard: string): Promise<void> {
    return this.#objects.evict(shard);
  }
}
