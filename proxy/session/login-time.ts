/** The time of a client that has not logged in: for what it does next, and for all of it (`login_timeout`). */
import type { ServerSettings } from "../config/index.ts";
import type { Deadline } from "../transport/index.ts";

/** ms; a `timeout` that is longer is what an nginx would give. */
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

  /** Limits what the client does next, which never goes on beyond its time to log in. */
  limit(ms: number): void {
    this.#deadline.set(Math.min(ms, this.#due - performance.now()));
  }

  /** The client waits for us, which is not counted against it. */
  hold(ms: number): void {
    this.#deadline.set(ms);
  }

  get over(): boolean {
    return performance.now() >= this.#due;
  }
}
