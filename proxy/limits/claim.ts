/** Claims of sessions on what `limit_conn` and `limit_login_rate` limit. */

/** The key of a zone: the client's network, the user, or the upstream. */
export type CountedBy = "client" | "user" | "server";

/** A connection, counted until its session ends (`limit_conn`). */
export interface ConnectionClaim {
  readonly kind: "connection";
  readonly by: CountedBy;
  readonly zone: string;
  readonly key: string;
  /** True where the key is a network beyond the client's narrowest one, which the log then names. */
  readonly isWide: boolean;
  /** Connections that may be open under the key. */
  readonly most: number;
  /** Keys that the zone has room for. */
  readonly room: number;
}

/** One login at a limited rate (`limit_login_rate`), in each network that holds the client. */
export interface LoginClaim {
  readonly kind: "login";
  readonly networks: readonly NetworkRate[];
}

export interface NetworkRate {
  readonly network: string;
  /** Logins a second. */
  readonly rate: number;
  /** Logins beyond the rate that may come at once. */
  readonly burst: number;
}

export type Claim = ConnectionClaim | LoginClaim;

/** The first claim of a request that is beyond its limit. */
export interface Denial {
  readonly claim: Claim;
  /** In nginx's words, for the log. */
  readonly note: string;
}

/** Grants claims. A session has one request under way at a time. */
export interface Limiter {
  /**
   * Grants all of the claims or none.
   *
   * @returns null where they are granted
   */
  claim(session: number, claims: readonly Claim[]): Denial | null | Promise<Denial | null>;
  /** Gives back what a session holds: all of it, or what is counted by one kind of key. */
  release(session: number, by?: CountedBy): void;
}
