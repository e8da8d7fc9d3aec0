/** The objects that count failures, for a test: called as the worker calls them, and looked into. */
import type { TestHarness } from "wrangler";
import type { Ledger, Ledgers, Rule, Subject, Tally } from "../../../worker/penalties/ledger.ts";
import type { Call } from "./caller.ts";

/** To be added to the workers of a harness that runs ours. */
export const CALLER = {
  config: {
    name: "caller",
    main: "test/support/ledgers/caller.ts",
    compatibility_date: "2026-07-30",
    durable_objects: {
      bindings: [{ name: "PENALTIES", class_name: "Penalties", script_name: "postern" }],
    },
  },
};

export class TestLedgers implements Ledgers {
  readonly #harness: TestHarness;

  constructor(harness: TestHarness) {
    this.#harness = harness;
  }

  getByName(shard: string): Ledger {
    const call = async (method: Call["method"], ...args: unknown[]) => {
      const [answer] = await this.#call({ shard, method, args, times: 1 });
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
    const args = [[subject], rule, true];
    const answers = await this.#call({ shard, method: "tally", args, times });
    return (answers as Tally[][]).flat();
  }

  /** Runs SQL in one of them. */
  async exec(shard: string, statement: string): Promise<Record<string, unknown>[]> {
    const storage = await this.#worker.getDurableObjectStorage("PENALTIES", { name: shard });
    return (await storage.exec(statement)) as Record<string, unknown>[];
  }

  /** Takes one of them out of memory, as the platform does with idle ones. */
  evict(shard: string): Promise<void> {
    return this.#worker.evictDurableObject("PENALTIES", { name: shard });
  }

  get #worker() {
    return this.#harness.getWorker("postern");
  }

  async #call(call: Call): Promise<unknown[]> {
    const request = { method: "POST", body: JSON.stringify(call) };
    const response = await this.#harness.getWorker("caller").fetch("/", request);
    return (await response.json()) as unknown[];
  }
}
