/** A lookup, as a session asks it, and its reply. */
import type { ByteString, Freshness, ProtocolName, TlsMode } from "../../shared/lookup.ts";
import type { UserVersion } from "../../shared/user-version.ts";
import type { Credentials } from "../protocols/index.ts";
import type { Proxied } from "../proxy-protocol/index.ts";
import type { Address, TlsSession } from "../transport/index.ts";

export interface LookupRequest {
  /** The session's trace id, in the form of W3C Trace Context. */
  readonly trace: string;
  readonly credentials: Credentials;
  readonly protocol: ProtocolName;
  /** From 1, growing with each lookup of a session. */
  readonly attempt: number;
  /** The client's IP address. */
  readonly client: string;
  /** The client's host name, for SMTP: verified, or a word of nginx's. */
  readonly clientHost: string;
  /** The content of a PROXY header; null without one. */
  readonly proxied: Proxied | null;
  /** The client's TLS; null in the clear. */
  readonly tls: TlsSession | null;
}

/** The servers of a mailbox. */
export interface Route {
  /** In the order in which they are to be tried; each with a name or an IP address. */
  readonly servers: readonly [Address, ...Address[]];
  /** Null where the reply leaves it to the configuration. */
  readonly tls: TlsMode | null;
  /** The name to verify in the first server's certificate; null for the server's own, as for the others. */
  readonly tlsName: string | null;
}

export interface Accepted {
  readonly kind: "route";
  readonly route: Route;
  /** Replaces the client's login upstream; null where the client's own stands. */
  readonly login: ByteString | null;
  /** Replaces the client's password upstream; null where the client's own stands. */
  readonly password: ByteString | null;
  /** The user, at the version that the endpoint has seen; null where the endpoint names none. */
  readonly user: UserVersion | null;
  /** The time for which the same request may be answered with this reply; null for none. */
  readonly freshness: Freshness | null;
  /** Set where the reply comes from the cache. */
  readonly remembered: Remembered | null;
}

interface Remembered {
  /** The reason the endpoint could not answer now; null for a fresh reply. */
  readonly instead: string | null;
}

export interface Unavailable {
  readonly kind: "unavailable";
  /** The endpoint's words for the client; null where it sent none. */
  readonly text: ByteString | null;
  readonly errorCode: string | null;
  /** For the log, behind the endpoint's address. */
  readonly why: string;
  /**
   * True where the endpoint has said nothing about the login: silence, a broken reply, or a 5xx without `Auth-Status`.
   * Only then may a remembered reply stand in.
   */
  readonly outage: boolean;
}

export type LookupReply =
  | Accepted
  | {
      readonly kind: "refused";
      /** For the client, verbatim. */
      readonly text: ByteString;
      /** SMTP's reply code and enhanced status. */
      readonly errorCode: string | null;
      /** The failure for an OAuth client: JSON in base64 (RFC 7628 section 3.2.2); null where none was sent. */
      readonly challenge: string | null;
      /** Seconds before the client hears of the refusal and may try again; 0 for at once and no other try. */
      readonly wait: number;
    }
  /** The same request is to be repeated after so many seconds. */
  | { readonly kind: "wait"; readonly wait: number }
  | Unavailable;

export interface LookupReceiver {
  answered(reply: LookupReply): void;
}

/** A lookup under way. After either call its receiver hears nothing more. */
export interface PendingLookup {
  /** The client has left, which says nothing about the endpoint. */
  cancel(): void;
  /** `auth_http_timeout` is over. @returns the reply that takes the place of the endpoint's */
  timedOut(): LookupReply;
}

/** @param outage true where the endpoint has said nothing about the login */
export function unavailable(why: string, outage: boolean): Unavailable {
  return { kind: "unavailable", text: null, errorCode: null, why, outage };
}
