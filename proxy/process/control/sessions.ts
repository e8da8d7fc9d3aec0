/** The sessions of all workers, of every generation, as the primary process sees them. */
import type { ByteString } from "../../../shared/lookup.ts";
import { decoded } from "../../bytes.ts";
import type { ErrorLog, ListedSession } from "../../observe/index.ts";
import type { SessionsPage } from "../ipc/calls.ts";

/** The sessions of one worker. Its replies are null where it does not reply in time. */
export interface WorkerSessions {
  readonly pid: number;
  /** Ends a user's sessions. @returns how many */
  kick(user: ByteString): Promise<number | null>;
  /** @param after only sessions of higher numbers */
  page(after: number): Promise<SessionsPage | null>;
}

export class Sessions {
  readonly #generations: Iterable<{ readonly workers: readonly WorkerSessions[] }>;
  readonly #log: () => ErrorLog;

  /** @param log returns the log in force */
  constructor(
    generations: Iterable<{ readonly workers: readonly WorkerSessions[] }>,
    log: () => ErrorLog,
  ) {
    this.#generations = generations;
    this.#log = log;
  }

  /**
   * Ends a user's sessions, and forgets cached lookups for the user. A worker that does not reply in time does
   * both as soon as it can.
   *
   * @param user by the name that was typed, or the one that replaced it
   * @param silent hears the pid of each worker that has not replied
   * @returns how many sessions have ended
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

  /** Lists all sessions, a page of each worker at a time, so that no process holds very many. */
  async *list(silent: (pid: number) => void): AsyncGenerator<readonly ListedSession[]> {
    let asked = this.#workers.map((worker) => ({ worker, after: 0 }));
    while (asked.length > 0) {
      const replies = await Promise.all(
        asked.map(async ({ worker, after }) => ({ worker, page: await worker.page(after) })),
      );
      asked = [];
      for (const { worker, page } of replies) {
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

  get #workers(): readonly WorkerSessions[] {
    return [...this.#generations].flatMap(({ workers }) => workers);
  }
}
