/** What a session asks for before it may go on, where the configuration sets limits. */

/** Whose connections a zone counts: those of a client's network, of a user, or to an upstream. */
export type CountedBy = "client" | "user" | "server";

/** A connection to be counted until its session ends (`limit_conn`). */
export interface ConnectionClaim {
  readonly kind: "connection";
  readonly by: CountedBy;
  readonly zone: string;
  readonly key: string;
  /** Connections that may be open under the key. */
  readonly most: number;
  /** Keys that the zone has room for. */
  readonly room: number;
}

/** One login of those that a rate allows (`limit_login_rate`). */
export interface LoginClaim {
  readonly kind: "login";
  readonly network: string;
  /** Logins a second. */
  readonly rate: number;
  /** Logins beyond the rate that may come at once. */
  readonly burst: number;
}

export type Claim = ConnectionClaim | LoginClaim;

/** Why a claim is refused. */
export interface Denial {
  readonly claim: Claim;
  /** For the log, in nginx's words. */
  readonly note: string;
}

/** Who grants claims. A session has one request under way at a time. */
export interface Limiter {
  /**
   * Grants all of the claims or none.
   *
   * @returns null where they are granted
   */
  claim(session: number, claims: readonly Claim[]): Denial | null | Promise<Denial | null>;
  /** Gives back what a session holds: all of it, or what is counted by one thing. */
  release(session: number, by?: CountedBy): void;
}
