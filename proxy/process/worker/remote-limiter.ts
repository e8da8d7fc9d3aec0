/** The primary's ledger as a worker sees it: claims go over cluster's channel, and answers come back by it. */
import type { Claim, CountedBy, Denial, Limiter } from "../../limits/index.ts";
import type { FromWorker } from "../ipc/messages.ts";

type Answered = (denial: Denial | null) => void;

export class RemoteLimiter implements Limiter {
  readonly #tell: (message: FromWorker) => void;
  /** By session: each has one request under way. */
  readonly #waiting = new Map<number, Answered>();

  constructor(tell: (message: FromWorker) => void) {
    this.#tell = tell;
  }

  claim(session: number, claims: readonly Claim[]): Promise<Denial | null> {
    return new Promise((resolve) => {
      this.#waiting.set(session, resolve);
      this.#tell({ kind: "claim", session, claims });
    });
  }

  /** Behind every claim of the session, whether it has been answered or not: messages keep their order. */
  release(session: number, by?: CountedBy): void {
    this.#tell({ kind: "release", session, by });
  }

  /** The primary has answered. */
  answered(session: number, denial: Denial | null): void {
    this.#waiting.get(session)?.(denial);
    this.#waiting.delete(session);
  }
}
