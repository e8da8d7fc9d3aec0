import type { UserEntry } from "../../directory/users.ts";

/** The client is this user, and may log in with this protocol. */
export interface Verified {
  readonly kind: "verified";
  readonly entry: UserEntry;
  /** The user's password, if its stored hash is weaker than a new one. */
  readonly weaklyHashed?: Uint8Array;
  /** When the credentials expire, ms since the epoch; left out if they do not. */
  readonly expires?: number;
}

export interface RefusedLookup {
  readonly kind: "refused";
  readonly reason: RefusalReason;
  /** Failures divided by the permitted ones, from 0 to 1; left out for 0. */
  readonly failureRatio?: number;
  /** Base64 that the client of a bearer token receives before the refusal. */
  readonly challenge?: string;
}

type RefusalReason =
  | "wrong-credentials"
  /** The user may not log in, or not with this method or protocol. Clients see a wrong password. Not counted. */
  | "not-enabled"
  /** A rule denies the client's network. */
  | "not-admitted"
  /** Mail for an unknown user, or for a domain that is not ours. */
  | "unknown-user"
  | "unknown-domain";

/** The worker cannot tell whether the client may log in, or where to. */
export interface UnavailableLookup {
  readonly kind: "unavailable";
  readonly cause: UnavailableCause;
  /** For the log: one sentence without secrets. */
  readonly reason: string;
}

export type UnavailableCause =
  /** The directory cannot be read. Only then may a caller that caches replies use an older one. */
  | "directory"
  /** A replica refuses, and the primary cannot be asked. An older yes would contradict the replica. */
  | "unconfirmed"
  /** Too many lookups wait. A client can cause that, so it must not bring an older reply back. */
  | "busy"
  /** A token provider or a resolver cannot be asked. A client may cause that too. */
  | "service"
  /** The directory's rows or the worker's settings permit no answer, as where a server is down. */
  | "configuration";

/** The verdict on a client's credentials. */
export type MethodVerdict = Verified | RefusedLookup | UnavailableLookup;

export const WRONG_CREDENTIALS: RefusedLookup = { kind: "refused", reason: "wrong-credentials" };
export const NOT_ENABLED: RefusedLookup = { kind: "refused", reason: "not-enabled" };

/** @param reason for the log */
export function unavailable(cause: UnavailableCause, reason: string): UnavailableLookup {
  return { kind: "unavailable", cause, reason };
}
