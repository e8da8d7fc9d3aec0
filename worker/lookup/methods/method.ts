import type { Entry, Presented } from "../../directory/users.ts";
import type { Refused, Unavailable } from "../result.ts";
import type { LookupRequest } from "../parse.ts";
import type { Resources } from "../resources.ts";

/** The client is this user, who may log in by this protocol. */
export interface Proved {
  readonly kind: "proved";
  readonly entry: Entry;
  /** The user's password, where the hash that is stored of it is weaker than one of today's. */
  readonly weaklyKept?: Uint8Array;
  /** When what has proved it expires, ms since the epoch; left out where it does not. */
  readonly until?: number;
}

export type Verified = Proved | Refused | Unavailable;

/** A login, read: what is to be looked for in the directory, and what then proves it. */
export interface Attempt {
  /** The name by which the client wants in. */
  readonly login: string;
  /** What else the directory is asked for. */
  readonly presented?: Presented;
  /** @param entry the user of that name; null if there is none */
  verify(entry: Entry | null): Verified | Promise<Verified>;
}

/** A method of authentication. */
export type Method = (request: LookupRequest, resources: Resources) => Attempt | Promise<Attempt>;

export const WRONG: Refused = { kind: "refused", reason: "wrong-credentials" };
export const NOT_ENABLED: Refused = { kind: "refused", reason: "not-enabled" };

/** Of what we have no means to verify. */
export function refuseAll({ login }: LookupRequest): Attempt {
  return { login, verify: () => NOT_ENABLED };
}

export function isEnabled({ user }: Entry, { protocol }: LookupRequest): boolean {
  return user.enabled && user[protocol];
}
