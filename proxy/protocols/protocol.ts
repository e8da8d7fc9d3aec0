/** The interface of a mail protocol. A session runs all three protocols through it and knows none. */
import type { ByteString, ProtocolName, TlsMode } from "../../shared/lookup.ts";
import type { Address, Command, Input, Script } from "../transport/index.ts";
import type { Credentials } from "./sasl.ts";

/** A reply after which the session closes; the note is for the log. */
export interface Farewell {
  readonly kind: "farewell";
  readonly text: ByteString;
  readonly note?: string;
}

/** The session's next step after a client's command. */
export type Step =
  | { readonly kind: "reply"; readonly text: ByteString; readonly note?: string }
  | Farewell
  /** The reply to a refused login that allows no other attempt. The session closes after it. */
  | { readonly kind: "refusal"; readonly text: ByteString }
  | { readonly kind: "starttls"; readonly text: ByteString }
  | { readonly kind: "login"; readonly credentials: Credentials };

/** The account for the login at the upstream. */
export interface Account {
  readonly login: ByteString;
  /** Null where the client authenticated without a password. */
  readonly password: ByteString | null;
  /** The client's mechanism where the password is a bearer token; otherwise null. */
  readonly bearer: "xoauth2" | "oauthbearer" | null;
}

/** The facts about a client that an upstream may be sent. */
export interface ClientInfo {
  /** An IP address, or `unix:`. */
  readonly address: string;
  readonly port: number;
  /** A host name, or nginx's word for why there is none. */
  readonly host: string;
  /** The address that the client connected to. */
  readonly local: Address;
  /** Unique among the sessions of all proxies. */
  readonly session: string;
}

/** Options of the login at an upstream. */
export interface LoginOptions {
  readonly tls: TlsMode;
  /** Proxies that the session may still pass, with `proxy_client_id`; otherwise null. */
  readonly hops: number | null;
}

/** The result of a login at an upstream. */
export type LoginEnd =
  /** The client is sent this reply, and bytes flow from then on. */
  | { readonly kind: "accepted"; readonly reply: ByteString }
  /** The upstream's whole reply, unchanged. */
  | { readonly kind: "refused"; readonly reply: ByteString }
  /** The greeting declines service; the account was not sent. */
  | { readonly kind: "unready"; readonly reply: ByteString }
  /** The upstream accepts no secret that this account has; another account may have one. */
  | { readonly kind: "impossible"; readonly name: Command["name"]; readonly reason: string };

/** The limits that a client can exceed. */
export type Limit = "connections" | "logins";

/** The proxy's side of one client's session, up to the login. */
export interface ProtocolHandler {
  /** True where the upstream needs a password, so that the lookup must return one if the client sent none. */
  readonly passwordRequired: boolean;
  greeting(): ByteString;
  /** ms before the greeting, in which a client that talks is disconnected. */
  readonly greetingDelay: number;
  /** The client has sent `input` before the greeting. */
  earlyTalker(input: Input): Farewell;
  /** Answers the next command, or returns null until more bytes have arrived. */
  next(input: Input): Step | null;
  /** TLS is active: the commands before it are forgotten (RFC 3207 section 4.2). */
  secured(): void;
  /** The reply to a login that the lookup refused, in the lookup's words. */
  refused(text: ByteString, errorCode: string | null): ByteString;
  /** The reply to a login that the lookup's endpoint could not decide, in the endpoint's words. */
  undecided(text: ByteString, errorCode: string | null): ByteString;
  /**
   * Reports a failed login in the form for OAuth clients (RFC 7628 section 3.2.3): one more challenge, which the
   * client answers before the refusal.
   *
   * @param text base64
   * @param refusal the step after the client's answer
   */
  challenge(text: string, refusal: Step): ByteString;
  /** The reply to a login that failed for our reasons. A client must not take it for a wrong password. */
  unavailable(): ByteString;
  /** The reply to a client beyond a limit: its own, its user's or its upstream's. */
  limited(limit: Limit): ByteString;
  timedOut(): ByteString;
  shuttingDown(): ByteString;
  /** @param text nginx's words, the same in all protocols */
  certificateRefused(text: string): ByteString;
  /** @param input the bytes of the upstream */
  login(account: Account, client: ClientInfo, tls: TlsMode, input: Input): Script<LoginEnd>;
}

/** A protocol with a server's configuration. */
export interface Protocol {
  readonly name: ProtocolName;
  /** @param secure true where TLS is active already */
  readonly open: (secure: boolean) => ProtocolHandler;
}
