/** The protocol between proxies and the worker's fleet API: `POST /fleet/health` takes `{ "reports": [ … ] }`. */
import type { UserVersion } from "./user-version.ts";

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

/** The worker revokes every login of a user that was granted before `user.version`. */
export interface KickMessage {
  readonly kind: "kick";
  /** The number of the previous kick plus one. */
  readonly number: number;
  /** The user's names. They find the logins that were granted without an id. */
  readonly names: readonly string[];
  /** Null where the user was deleted before this kick, or the worker is older than user ids. */
  readonly user: UserVersion | null;
  /** D1's bookmark of the change: a directory at least as new has it. Null where D1 gave none. */
  readonly bookmark: string | null;
}

/** The worker's messages, in the order of their numbers. */
export type FleetMessage =
  | KickMessage
  /** Answers a presence, after the kicks that the proxy had missed. `complete` if none of these were lost. */
  | { readonly kind: "heard"; readonly last: number; readonly complete: boolean };

/** Names of one user in a kick, and the characters in a name. */
export const MAX_NAMES = 10;
export const MAX_NAME_LENGTH = 1024;
