import type { UserVersion } from "../../shared/user-version.ts";
import type { UserEntry } from "../directory/users.ts";
import type { RefusedLookup, UnavailableLookup } from "./methods/index.ts";

/** The outcome of a lookup. `reply.ts` keeps refused and unavailable apart. */
export type LookupOutcome = AcceptedLookup | RefusedLookup | BlockedLookup | UnavailableLookup;

export interface AcceptedLookup {
  readonly kind: "accepted";
  /** The server's name in the directory. */
  readonly server: string;
  /** An IP address, or a name for callers that resolve names. */
  readonly host: string;
  readonly port: number;
  /** The login name for the server; null if it is the client's. */
  readonly login: string | null;
  /** The password for the server; null if it is the client's. */
  readonly password: string | null;
  /** TLS to the server, and the name in its certificate; null if the caller does not support them. */
  readonly tls: "off" | "starttls" | "tls" | null;
  readonly tlsName: string | null;
  /** Other servers that may serve the client, in order. */
  readonly fallbacks: readonly { readonly host: string; readonly port: number }[];
}

/** Too many logins have failed. The client does not learn whether the password was right. */
export interface BlockedLookup {
  readonly kind: "blocked";
}

export interface LookupDecision {
  readonly outcome: LookupOutcome;
  /** Null if the lookup concerns no user or domain of ours. */
  readonly subject: LookupSubject | null;
  /** The login that was verified; null if none was, and for mail without a login. */
  readonly login: VerifiedLogin | null;
}

export interface VerifiedLogin {
  /** The version of the rows by which the login was verified, and no newer one. */
  readonly user: UserVersion;
  /** When the client's credentials expire, ms since the epoch; left out if they do not. */
  readonly expires?: number | undefined;
}

/** The user or recipient of a lookup, without the client's input: that may be a password in the wrong field. */
export interface LookupSubject {
  /** The domain of the address; empty if the address is a bare name. */
  readonly domain: string;
  readonly group: string;
}

/** A rule denies the client's network. */
export const NOT_ADMITTED: RefusedLookup = { kind: "refused", reason: "not-admitted" };

export function subjectOf({ address, group }: UserEntry["user"]): LookupSubject {
  const at = address.lastIndexOf("@");
  return { domain: at === -1 ? "" : address.slice(at + 1), group };
}
