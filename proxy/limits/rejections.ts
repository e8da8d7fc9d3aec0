/** Clients that a worker has sent away before they were logged in, counted by why. */

const REASONS = [
  /** `limit_conn`, by what it counts. */
  "client_connections",
  "user_connections",
  "server_connections",
  /** `limit_login_rate`. */
  "login_rate",
  /** `timeout` or `login_timeout` went by without a login. */
  "login_timeout",
  /** There is no room for them (`worker_connections`). */
  "worker_connections",
  /** What they sent first was not what it must be. */
  "proxy_protocol",
  "tls",
  "client_certificate",
] as const;

export type Rejection = (typeof REASONS)[number];

export class RejectionCounts {
  readonly #counts = new Map<Rejection, number>(REASONS.map((reason) => [reason, 0]));

  count(reason: Rejection): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** Each reason, and how often since the worker began. */
  get counts(): ReadonlyMap<Rejection, number> {
    return this.#counts;
  }
}
