/** The protocol between proxies and the worker's fleet API: `POST /fleet/health` takes `{ "reports": [ … ] }`. */

export interface HealthReport {
  /** The host that the lookup named. */
  readonly host: string;
  readonly port: number;
  /** `serving` withdraws this proxy's earlier report. */
  readonly state: "failing" | "serving";
  /** The reason of the failure: one sentence without any user's data. */
  readonly why?: string;
}

/** Reports in one request. An empty list says that the proxy is alive. */
export const MAX_REPORTS = 100;

/** Characters in a reason. A reason has no control characters. */
export const MAX_REASON_LENGTH = 200;

/** ms after which the worker forgets a report and its proxy. */
export const REPORT_LIFETIME = 60_000;

/**
 * `GET /fleet/live` opens a WebSocket on which the worker tells a proxy to end users' sessions. Messages are JSON,
 * except these two: the platform answers PING with PONG and does not wake the Durable Object.
 */
export const PING = "ping";
export const PONG = "pong";

/** A proxy sends its presence when it has connected, and every minute. */
export interface Presence {
  /** The proxy's host name. */
  readonly host: string;
  readonly version: string;
  /** Clients connected now. */
  readonly sessions: number;
  /** The number of the last kick that the proxy has received; null before the first. */
  readonly heard: number | null;
  /** ms since the proxy started. */
  readonly age: number;
}

/** The worker's messages, in the order of their numbers. */
export type FleetMessage =
  /** The proxy ends the sessions of the user with these names and drops cached lookups for them. */
  | { readonly kind: "kick"; readonly number: number; readonly names: readonly string[] }
  /** Answers a presence, after the kicks that the proxy had missed. `complete` if none of these were lost. */
  | { readonly kind: "heard"; readonly last: number; readonly complete: boolean };

/** Names of one user in a kick, and the characters in a name. */
export const MAX_NAMES = 10;
export const MAX_NAME_LENGTH = 1024;
