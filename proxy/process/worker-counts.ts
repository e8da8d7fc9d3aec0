/** What workers have counted: asked for when somebody wants to know, and remembered for when they cannot say. */
import { EventEmitter, once } from "node:events";
import type { Worker } from "node:cluster";
import type { Snapshot } from "../observe/index.ts";

/** ms that a worker has to answer; of one that is too busy, what it said last has to do. */
const PATIENCE = 2000;

export class WorkerCounts {
  readonly #last = new Map<Worker, Snapshot>();
  readonly #news = new EventEmitter<Record<string, []>>().setMaxListeners(0);

  /** @param ask has the worker call for `heard` */
  async refresh(workers: Iterable<Worker>, ask: (worker: Worker) => void): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE);
    await Promise.all(
      Array.from(workers, (worker) => {
        const said = once(this.#news, `${worker.id}`, { signal });
        ask(worker);
        return said.catch(() => {});
      }),
    );
  }

  get all(): readonly Snapshot[] {
    return [...this.#last.values()];
  }

  heard(worker: Worker, counts: Snapshot): void {
    this.#last.set(worker, counts);
    this.#news.emit(`${worker.id}`);
  }

  /** The worker has gone. @returns what it had said last */
  lost(worker: Worker): Snapshot {
    const counts = this.#last.get(worker) ?? [];
    this.#last.delete(worker);
    this.#news.emit(`${worker.id}`);
    return counts;
  }
}
