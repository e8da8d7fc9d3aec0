/** What a mail protocol is to a session, which runs all three and knows none. */
import type { ByteString, ProtocolName, TlsMode } from "../../shared/lookup.ts";
import type { ServerSettings } from "../config/index.ts";
import type { Address, Command, Input } from "../transport/index.ts";
import type { Credentials } from "./sasl.ts";

/** Reply, then close; the note says why, for the log. */
export interface Farewell {
  readonly kind: "farewell";
  readonly text: ByteString;
  readonly note?: string;
}

/** What to do next, as the client's last words ask. */
export type Step =
  | { readonly kind: "reply"; readonly text: ByteString; readonly note?: string }
  | Farewell
  /** Reply, then close: the login was refused, and there is no other try. */
  | { readonly kind: "refusal"; readonly text: ByteString }
  | { readonly kind: "starttls"; readonly text: ByteString }
  | { readonly kind: "login"; readonly credentials: Credentials };

/** The account to log in to at the upstream. */
export interface Account {
  readonly login: ByteString;
  /** Null where the client proved itself without one. */
  readonly password: ByteString | null;
  /** The mechanism by which the client showed the password, if that is a bearer token; otherwise null. */
  readonly bearer: "xoauth2" | "oauthbearer" | null;
}

/** What an upstream may be told about the client. */
export interface ClientInfo {
  /** An IP address, or `unix:`. */
  readonly address: string;
  readonly port: number;
  /** A host name, or a word of nginx's for why there is none. */
  readonly host: string;
  /** Where it connected to. */
  readonly local: Address;
  /** Tells its session from all others, ours and other proxies'. */
  readonly session: string;
}

/** How an upstream is to be logged in to. */
export interface LoginOptions {
  readonly tls: TlsMode;
  /** Proxies that it may pass, where it is to be told of the client (`proxy_client_id`); otherwise null. */
  readonly hops: number | null;
}

/** How an upstream login ended. */
export type LoginEnd =
  /** The client is sent this, and bytes flow from then on. */
  | { readonly kind: "accepted"; readonly reply: ByteString }
  /** The upstream's words, whole and unchanged. */
  | { readonly kind: "refused"; readonly reply: ByteString }
  /** Its greeting already says that it will not serve us; it has heard nothing of the account. */
  | { readonly kind: "unready"; readonly reply: ByteString }
  /** There is nothing to log in with that would do here; other accounts may fare better. */
  | { readonly kind: "impossible"; readonly name: Command["name"]; readonly why: string };

/** What a login waits for: more of the reply (the greeting comes unasked), or TLS, to which the upstream has agreed. */
type Waiting = "more" | "tls";

/**
 * A login as a script: yields what to send, or what else to wait for; is resumed with one line of the
 * upstream's, with its line end, or once TLS is active with an empty one. Throws an Error that says, for the
 * log, what the upstream lacks, whoever wants to log in.
 */
export type LoginScript = LoginPart<LoginEnd>;

/** A part of one. */
export type LoginPart<Result> = Generator<Command | Waiting, Result, ByteString>;

/** What a client may have too many of. */
export type Limit = "connections" | "logins";

/** Our half of the conversation with one client, up to its login. */
export interface ProtocolHandler {
  /** Whether the upstream wants a password, so that the lookup must give one where the client did not. */
  readonly passwordRequired: boolean;
  greeting(): ByteString;
  /** ms before the greeting in which a client that speaks is sent away. */
  readonly greetingDelay: number;
  earlyTalker(input: Input): Farewell;
  /** Understands the next command, or returns null until more has arrived. */
  next(input: Input): Step | null;
  /** TLS has begun: all that was said before is forgotten (RFC 3207 section 4.2). */
  secured(): void;
  /** The lookup's refusal, in its own words. */
  refused(text: ByteString, errorCode: string | null): ByteString;
  /**
   * Tells of a failure as OAuth clients want to hear it (RFC 7628 section 3.2.3): as one more challenge, which
   * they answer before they are refused.
   *
   * @param text base64
   * @param refusal what comes then
   */
  challenge(text: string, refusal: Step): ByteString;
  /** We cannot tell, or cannot get through: never told as a wrong password. */
  unavailable(): ByteString;
  /** There are too many: of the client's connections, of its user's or of the upstream's; or of logins. */
  limited(what: Limit): ByteString;
  /** The client has taken too long. */
  timedOut(): ByteString;
  /** The server shuts down. */
  shuttingDown(): ByteString;
  /** The client's certificate will not do, in nginx's words for all protocols. */
  certificateRefused(text: string): ByteString;
  /** The login at the upstream that continues this conversation. */
  login(account: Account, client: ClientInfo, tls: TlsMode): LoginScript;
}

export interface Protocol {
  readonly name: ProtocolName;
  /** @param secure whether TLS is active already */
  open(settings: ServerSettings, secure: boolean): ProtocolHandler;
}
