/** The sessions of all workers, of every generation, as the primary process sees them. */
import type { ErrorLog, ListedSession } from "../../observe/index.ts";
import { quoted } from "../../quoted.ts";
import type { Kick } from "../../revocation/index.ts";
import type { SessionsPage } from "../ipc/calls.ts";

/** The sessions of one worker. Its replies are null where it does not reply in time. */
export interface WorkerSessions {
  readonly pid: number;
  /** Ends the sessions of revoked logins. @returns how many each kick has ended */
  kick(kicks: readonly Kick[]): Promise<readonly number[] | null>;
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
   * Ends the sessions of revoked logins. A worker that does not reply in time does so as soon as it can. Kicks reach
   * each worker in the order of the calls.
   *
   * @param silent hears the pid of each worker that has not replied
   * @returns how many sessions have ended
   */
  async kick(kicks: readonly Kick[], silent: (pid: number) => void = () => {}): Promise<number> {
    const replies = await Promise.all(
      this.#workers.map(async (worker) => {
        const ended = await worker.kick(kicks);
        if (ended === null) silent(worker.pid);
        return ended ?? [];
      }),
    );
    let all = 0;
    for (const [index, { names, user }] of kicks.entries()) {
      const ended = replies.reduce((sum, counts) => sum + (counts[index] ?? 0), 0);
      all += ended;
      // The kicks of a day may come at once.
      if (ended === 0 && kicks.length > 1) continue;
      const name = names[0] ?? user?.id ?? "";
      this.#log().write("notice", `kicked ${quoted(name)}, sessions ended: ${ended}`);
    }
    return all;
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
