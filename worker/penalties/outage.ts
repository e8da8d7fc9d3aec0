import { logError } from "../log/log.ts";
import type { CounterKind } from "./shards.ts";

/** ms between two log lines about one kind of counts. */
const INTERVAL = 60_000;

/** Logs that counts cannot be asked: at once, and then once a minute with the number of logins since. */
export class OutageLog {
  readonly #now: () => number;
  readonly #silent = new Map<CounterKind, { readonly until: number; logins: number }>();

  /** @param now ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  add(kind: CounterKind, reason: string): void {
    const now = this.#now();
    const silent = this.#silent.get(kind);
    if (silent !== undefined && now < silent.until) {
      silent.logins += 1;
      return;
    }
    this.#silent.set(kind, { until: now + INTERVAL, logins: 0 });
    const more =
      silent === undefined || silent.logins === 0 ? "" : `, like ${silent.logins} before`;
    logError(`a login goes on without the penalties of its ${kind}${more}: ${reason}`);
  }
}

export const isolateOutages = new OutageLog();
