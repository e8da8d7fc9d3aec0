import type { Freshness } from "../../shared/lookup.ts";
import type { Entry } from "../directory/users.ts";

/** What a lookup comes to. Refused and unavailable are never mixed up: see `reply.ts`. */
export type Outcome = Accepted | Refused | Blocked | Unavailable;

export interface Accepted {
  readonly kind: "accepted";
  /** What the directory calls it. */
  readonly server: string;
  /** An IP address, or a name for callers that take one. */
  readonly host: string;
  readonly port: number;
  /** The name to log in with at the server; null if it is the one that the client gave. */
  readonly login: string | null;
  /** The same for the password. */
  readonly password: string | null;
  /** TLS towards the server, and the name in its certificate; null where the caller is not told. */
  readonly tls: "off" | "starttls" | "tls" | null;
  readonly tlsName: string | null;
  /** Servers that will do as well, in order. */
  readonly fallbacks: readonly { readonly host: string; readonly port: number }[];
  /** For how long the caller may answer the same lookup itself; left out where it may not. */
  readonly freshness?: Freshness;
}

export interface Refused {
  readonly kind: "refused";
  readonly reason:
    | "wrong-credentials"
    /** They may not log in, or not so: told like a wrong password, and no guess. */
    | "not-enabled"
    /** The client's network may not be served. */
    | "not-admitted"
    /** Mail for somebody who is not here, or for a domain that is not ours. */
    | "unknown-user"
    | "unknown-domain";
  /** How much of the permitted failures is used up, from 0 to 1; nothing, if it is left out. */
  readonly pressure?: number;
  /** Base64 that the client of a bearer token hears before it is refused. */
  readonly challenge?: string;
}

/** Too many logins have failed: it is not told whether this one is right. */
export interface Blocked {
  readonly kind: "blocked";
}

/** We cannot tell whether this person may log in, or where to. */
export interface Unavailable {
  readonly kind: "unavailable";
  /** For the log: one sentence without secrets. */
  readonly reason: string;
}

/** An outcome, and whom it is about; null where the directory does not know. */
export interface Decision {
  readonly outcome: Outcome;
  readonly subject: Subject | null;
}

/** Nothing of what a client has typed, which may be a password in the wrong field. */
export interface Subject {
  /** Of the user's address; empty where that is a bare name. */
  readonly domain: string;
  readonly group: string;
}

/** The client's network may not be served. */
export const NOT_ADMITTED: Refused = { kind: "refused", reason: "not-admitted" };

export function subjectOf({ address, group }: Entry["user"]): Subject {
  const at = address.lastIndexOf("@");
  return { domain: at === -1 ? "" : address.slice(at + 1), group };
}

/** @param reason for the log */
export function unavailable(reason: string): Unavailable {
  return { kind: "unavailable", reason };
}
