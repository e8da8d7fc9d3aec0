/** The time of a client that has not logged in: for its next step, and for all steps (`login_timeout`). */
import type { ServerSettings } from "../config/index.ts";
import type { Deadline } from "../transport/index.ts";

/** ms; a longer `timeout` counts instead, as nginx would give it. */
const LOGIN_TIMEOUT = 300_000;

export class LoginTime {
  readonly #deadline: Deadline;
  /** On `performance.now()`'s clock. */
  readonly #due: number;

  /** @param deadline the session's */
  constructor(deadline: Deadline, { login_timeout, timeout }: ServerSettings) {
    this.#deadline = deadline;
    this.#due = performance.now() + (login_timeout ?? Math.max(LOGIN_TIMEOUT, timeout));
  }

  /** Limits the client's next step, which never outlasts the time to log in. */
  limit(ms: number): void {
    this.#deadline.set(Math.min(ms, this.#due - performance.now()));
  }

  /** Limits a step of ours, which the client's time does not shorten. */
  hold(ms: number): void {
    this.#deadline.set(ms);
  }

  get over(): boolean {
    return performance.now() >= this.#due;
  }
}
