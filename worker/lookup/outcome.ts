/** What a lookup comes to. Refused and unavailable are never mixed up: see `reply.ts`. */
export type Outcome = Accepted | Refused | Unavailable;

export interface Accepted {
  readonly kind: "accepted";
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  /** The name to log in with at the server; null if it is the one that the client gave. */
  readonly login: string | null;
}

export interface Refused {
  readonly kind: "refused";
  /** `no-login`: nobody tried to log in, and they would have to. */
  readonly reason: "wrong-credentials" | "no-login";
}

/** We cannot tell whether this person may log in, or where to. */
export interface Unavailable {
  readonly kind: "unavailable";
  /** For the log: one sentence without secrets. */
  readonly reason: string;
}
