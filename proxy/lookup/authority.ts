/** Whom a session asks who its client is, and where the mailbox lives. */
import type { ByteString, Freshness, ProtocolName, TlsMode } from "../../shared/lookup.ts";
import type { Proxied } from "../listener/index.ts";
import type { Credentials } from "../protocols/index.ts";
import type { Address, TlsSession } from "../transport/index.ts";

export interface LookupRequest {
  /** The session's, of the form of a W3C trace id. */
  readonly trace: string;
  readonly credentials: Credentials;
  readonly protocol: ProtocolName;
  /** From 1, growing with each lookup of a session. */
  readonly attempt: number;
  /** The client's IP address. */
  readonly client: string;
  /** Its host name, for SMTP: verified, or a word of nginx's. */
  readonly clientHost: string;
  /** What a PROXY header said; null without one. */
  readonly proxied: Proxied | null;
  /** The client's TLS, or null in the clear. */
  readonly tls: TlsSession | null;
}

/** Where a mailbox is. */
export interface Route {
  /** Those that serve it, in the order in which they are to be tried; each with a name or an IP address. */
  readonly servers: readonly [Address, ...Address[]];
  /** Null where the lookup leaves it to the configuration. */
  readonly tls: TlsMode | null;
  /** What the first one's certificate must be for; null for the name that it goes by, as the others do. */
  readonly tlsName: string | null;
}

export type Answer =
  | {
      readonly kind: "route";
      readonly route: Route;
      /** What replaces the client's own login and password upstream; null where nothing does. */
      readonly login: ByteString | null;
      readonly password: ByteString | null;
      /** For how long the same question may be answered so; null where it is to be asked again. */
      readonly freshness: Freshness | null;
      /** Null where it has just been asked for. */
      readonly remembered: Remembered | null;
    }
  | {
      readonly kind: "refused";
      /** For the client, verbatim. */
      readonly text: ByteString;
      /** SMTP's reply code and enhanced status. */
      readonly errorCode: string | null;
      /** Why, for an OAuth client: JSON in base64 (RFC 7628 section 3.2.2); null where the lookup gave none. */
      readonly challenge: string | null;
      /** Seconds before the client hears of it and may try again; 0: it hears at once, and that was all. */
      readonly wait: number;
    }
  /** The same question is to be asked again, after so many seconds. */
  | { readonly kind: "wait"; readonly wait: number }
  /** The authority cannot tell; its words for the client where it has some. */
  | {
      readonly kind: "unavailable";
      readonly text: ByteString | null;
      readonly errorCode: string | null;
      /** For the log. */
      readonly why: string;
      /** Whether it has said anything at all. */
      readonly reached: boolean;
    };

/** An answer from before. */
interface Remembered {
  /** Why the authority could not tell now; null where nobody asked it. */
  readonly instead: string | null;
}

export interface Authority {
  /** Never throws: what goes wrong on the way is `unavailable`, unless `signal` has given up. */
  lookup(request: LookupRequest, signal: AbortSignal): Promise<Answer>;
}

/** Whom an authority asks: a lookup is written once, and goes on as it is on the wire. */
export interface Responder {
  /** Throws as `lookup` does. @param text the request, whole */
  ask(text: ByteString, signal: AbortSignal): Promise<Answer>;
}
