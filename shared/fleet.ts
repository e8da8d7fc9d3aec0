/** What proxies tell the worker of mail servers: `POST /fleet/health`, `{ "reports": [ … ] }` in JSON. */

export interface HealthReport {
  /** The server as a lookup named it. */
  readonly host: string;
  readonly port: number;
  /** `serving` takes back what this proxy said before. */
  readonly state: "failing" | "serving";
  /** Why it fails: one sentence, with nothing of a user in it. */
  readonly why?: string;
}

/** Reports in one request. None at all says that the proxy is there. */
export const MOST_REPORTS = 100;

/** Characters of a sentence, which has no control characters. */
export const LONGEST_WHY = 200;

/** ms after which the worker forgets what it has heard, and who has said so. */
export const REPORT_LIFETIME = 60_000;

/**
 * The live line: `GET /fleet/live`, by which the worker tells proxies whose sessions are to end. On its WebSocket
 * go texts of JSON, but for these two: who sends one gets the other, and the worker's object sleeps on.
 */
export const PING = "ping";
export const PONG = "pong";

/** What a proxy says of itself when it has connected, and every minute. */
export interface Presence {
  /** The name of its machine. */
  readonly host: string;
  readonly version: string;
  /** Clients that are connected now. */
  readonly sessions: number;
  /** The number of the last kick that it knows of; null while it knows of none. */
  readonly heard: number | null;
  /** ms that it has been running. */
  readonly age: number;
}

/** What it hears, in the order of the numbers. */
export type ToProxy =
  /** End the sessions of one user, who goes by these names, and forget what lookups said of them. */
  | { readonly kind: "kick"; readonly number: number; readonly names: readonly string[] }
  /** The answer to a presence, after the kicks that it had missed: `complete` if those were all. */
  | { readonly kind: "heard"; readonly last: number; readonly complete: boolean };

/** Names of a user, and the characters of one. */
export const MOST_NAMES = 10;
export const LONGEST_NAME = 1024;
