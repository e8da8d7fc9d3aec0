/** Counts the clients that a worker has sent away before the login, by reason. */

const REASONS = [
  /** `limit_conn`, by the key of its zone. */
  "client_connections",
  "user_connections",
  "server_connections",
  /** `limit_login_rate`. */
  "login_rate",
  /** `timeout` or `login_timeout` went by without a login. */
  "login_timeout",
  /** There was no room (`worker_connections`). */
  "worker_connections",
  /** The first bytes of the client were wrong. */
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

  /** Rejections by reason since the worker's start. */
  get counts(): ReadonlyMap<Rejection, number> {
    return this.#counts;
  }
}
