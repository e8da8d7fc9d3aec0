// A part of the benchmark that runs in a process of its own, so that its CPU time is nobody else's.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** ms for an answer: far more than any takes. */
const LIMIT = 60_000;

export class Child<Request extends object, Reply> {
  readonly #process: ChildProcess;

  /** @param module what the process runs; it tells us things with `parent.ts` */
  constructor(module: URL, args: readonly string[] = []) {
    this.#process = fork(module, args, { serialization: "advanced" });
  }

  /** What it says next. */
  async reply(): Promise<Reply> {
    const answered = new AbortController();
    const limit = setTimeout(() => answered.abort(), LIMIT);
    const { signal } = answered;
    const died = once(this.#process, "exit", { signal }).then(([code]) => {
      throw new Error(`a process of the benchmark ended (${String(code)})`);
    });
    died.catch(() => {});
    try {
      const [reply] = await Promise.race([once(this.#process, "message", { signal }), died]);
      return reply as Reply;
    } finally {
      clearTimeout(limit);
      answered.abort();
    }
  }

  ask(request: Request): Promise<Reply> {
    this.#process.send(request);
    return this.reply();
  }

  async stop(): Promise<void> {
    if (!this.#process.connected) return;
    this.#process.disconnect();
    await once(this.#process, "exit");
  }
}
