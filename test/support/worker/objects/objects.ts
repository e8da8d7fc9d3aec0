import type { TestHarness } from "wrangler";
import type { Call } from "./caller.ts";

/** The durable objects of one binding. */
export class TestObjects {
  readonly #harness: TestHarness;
  readonly #binding: Call["binding"];

  constructor(harness: TestHarness, binding: Call["binding"]) {
    this.#harness = harness;
    this.#binding = binding;
  }

  /** Calls a method so many times at the same moment; gives all answers. */
  async call(
    name: string,
    method: string,
    args: readonly unknown[],
    times = 1,
  ): Promise<unknown[]> {
    const call: Call = { binding: this.#binding, name, method, args, times };
    const request = { method: "POST", body: JSON.stringify(call) };
    const response = await this.#harness.getWorker("caller").fetch("/", request);
    return (await response.json()) as unknown[];
  }

  /** Runs SQL in one of them. */
  async exec(name: string, statement: string): Promise<Record<string, unknown>[]> {
    const storage = await this.#worker.getDurableObjectStorage(this.#binding, { name });
    return (await storage.exec(statement)) as Record<string, unknown>[];
  }

  /** Takes one of them out of memory, as the platform does with idle ones. */
  evict(name: string, webSockets: "close" | "hibernate" = "close"): Promise<void> {
    return this.#worker.evictDurableObject(this.#binding, { name, webSockets });
  }

  get #worker() {
    return this.#harness.getWorker("postern");
  }
}
