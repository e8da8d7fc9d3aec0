/** The sessions of all workers, of every generation, as the primary process sees them. */
import type { ByteString } from "../../../shared/lookup.ts";
import { decoded } from "../../bytes.ts";
import type { ErrorLog, ListedSession } from "../../observe/index.ts";
import type { Asked, Generation } from "../primary/generation.ts";

export class Sessions {
  readonly #generations: Iterable<Generation>;
  readonly #log: () => ErrorLog;

  /** @param log the one that there is when something happens */
  constructor(generations: Iterable<Generation>, log: () => ErrorLog) {
    this.#generations = generations;
    this.#log = log;
  }

  /**
   * Ends a user's sessions, and has their lookups asked anew. A worker that keeps silent does so once it is
   * awake again.
   *
   * @param user by the name that was typed, or the one that replaced it
   * @param silent hears the pid of each worker that has not answered
   * @returns how many have ended
   */
  async kick(user: ByteString, silent: (pid: number) => void = () => {}): Promise<number> {
    const counts = await Promise.all(
      this.#workers.map(async (worker) => {
        const ended = await worker.kick(user);
        if (ended === null) silent(worker.pid);
        return ended ?? 0;
      }),
    );
    const ended = counts.reduce((sum, count) => sum + count, 0);
    this.#log().write("notice", `kicked "${decoded(user)}", sessions ended: ${ended}`);
    return ended;
  }

  /** All of them, some at a time: nobody holds, or is busy with, very many. */
  async *list(silent: (pid: number) => void): AsyncGenerator<readonly ListedSession[]> {
    let asked = this.#workers.map((worker) => ({ worker, after: 0 }));
    while (asked.length > 0) {
      const answers = await Promise.all(
        asked.map(async ({ worker, after }) => ({ worker, page: await worker.page(after) })),
      );
      asked = [];
      for (const { worker, page } of answers) {
        if (page === null) {
          silent(worker.pid);
          continue;
        }
        const { sessions, last } = page;
        if (last !== null) asked.push({ worker, after: last });
        if (sessions.length > 0) yield sessions.map((one) => ({ worker: worker.pid, ...one }));
      }
    }
  }

  get #workers(): readonly Asked[] {
    return [...this.#generations].flatMap(({ workers }) => workers);
  }
}
