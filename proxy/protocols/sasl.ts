/** SASL as a server (RFC 4422): the mechanisms as exchanges of base64 lines, the same in all three protocols. */
import type { ByteString } from "../../shared/lookup.ts";
import { type Bearer, parseOauthbearer, parseXoauth2 } from "./oauth.ts";

/** The login that a client claims, and its evidence. */
export type Credentials =
  | { readonly method: "plain"; readonly login: ByteString; readonly password: ByteString }
  /** A digest over the password and our salt (RFC 1939 section 7, RFC 2195). */
  | {
      readonly method: "apop" | "cram-md5";
      readonly login: ByteString;
      readonly digest: ByteString;
      readonly salt: string;
    }
  /** A name for which the client's certificate is the evidence (RFC 4422 appendix A). */
  | { readonly method: "external"; readonly login: ByteString }
  /** A bearer token (RFC 6750). */
  | {
      readonly method: "xoauth2" | "oauthbearer";
      readonly login: ByteString;
      readonly token: ByteString;
    }
  /** No login, but an SMTP recipient for whom the lookup knows a route. */
  | {
      readonly method: "none";
      /** The argument of HELO or EHLO; empty where there was none. */
      readonly helo: ByteString;
      /** The whole MAIL and RCPT commands. */
      readonly from: ByteString;
      readonly to: ByteString;
    };

/** The invalid part of a response, in nginx's words except for the last. */
type InvalidPart = "base64 encoding" | "login" | "password" | "CRAM-MD5 hash" | "bearer token";

/** Yields challenges in base64, and is resumed with responses in base64. */
export type SaslExchange = Generator<string, Credentials | InvalidPart, ByteString>;

/** A session's salt. */
export interface SaltSource {
  /** Made when it is first read. */
  readonly salt: string;
}

export interface Mechanism {
  /** @param initial the initial response, where the client sent one */
  readonly begin: (initial: ByteString | undefined, session: SaltSource) => SaslExchange;
  /** True where only `*_auth` enables it; nginx accepts PLAIN and LOGIN regardless. */
  readonly optional: boolean;
  /** True where the client may send an initial response (RFC 4422 section 3). */
  readonly initial: boolean;
  /** True where it needs TLS: a bearer token in the clear can be stolen (RFC 6750 section 5.3). */
  readonly tlsOnly: boolean;
}

/** nginx asks for both steps of LOGIN in these words. */
const USERNAME = "VXNlcm5hbWU6";
const PASSWORD = "UGFzc3dvcmQ6";

const MECHANISMS: ReadonlyMap<string, Mechanism> = new Map([
  ["plain", { begin: plain, optional: false, initial: true, tlsOnly: false }],
  ["login", { begin: login, optional: false, initial: true, tlsOnly: false }],
  ["cram-md5", { begin: cramMd5, optional: true, initial: false, tlsOnly: false }],
  ["external", { begin: external, optional: true, initial: true, tlsOnly: false }],
  ["xoauth2", bearer("xoauth2", parseXoauth2)],
  ["oauthbearer", bearer("oauthbearer", parseOauthbearer)],
]);

/** The methods of a `*_auth` directive that may be announced. */
export function announcedMethods(enabled: readonly string[], secure: boolean): readonly string[] {
  return enabled.filter((name) => secure || MECHANISMS.get(name)?.tlsOnly !== true);
}

/**
 * The mechanisms that clients may use.
 *
 * @param enabled names in the `*_auth` directive
 * @param strict true where the directive must name PLAIN and LOGIN too (`auth_strict`)
 */
export function acceptedMechanisms(
  enabled: readonly string[],
  strict: boolean,
  secure: boolean,
): ReadonlyMap<string, Mechanism> {
  const accepted = [...MECHANISMS].filter(([name, { optional, tlsOnly }]) => {
    return (secure || !tlsOnly) && (enabled.includes(name) || (!optional && !strict));
  });
  return new Map(accepted);
}

/** @returns null for a mechanism that is not accepted, or an initial response that it does not allow */
export function beginExchange(
  mechanisms: ReadonlyMap<string, Mechanism>,
  name: ByteString,
  initial: ByteString | undefined,
  session: SaltSource,
): SaslExchange | null {
  const mechanism = mechanisms.get(name.toLowerCase());
  if (mechanism === undefined || (initial !== undefined && !mechanism.initial)) return null;
  return mechanism.begin(initial, session);
}

/** RFC 4616: authorization identity (which nginx ignores) NUL login NUL password. */
function* plain(initial?: ByteString): SaslExchange {
  const message = decodeBase64(initial ?? (yield ""));
  if (message === null) return "base64 encoding";
  const [, user, ...passwords] = message.split("\0");
  if (user === undefined || message.indexOf("\0") === message.length - 1) return "login";
  return passwords.length === 1 ? checked(user, passwords.join("")) : "password";
}

/** draft-murchison-sasl-login: the server asks for the user name, then for the password. */
function* login(initial?: ByteString): SaslExchange {
  const user = decodeBase64(initial ?? (yield USERNAME));
  if (user === null) return "base64 encoding";
  const password = decodeBase64(yield PASSWORD);
  return password === null ? "base64 encoding" : checked(user, password);
}

/** RFC 2195: the login, a space, and 32 hexadecimal digits. */
function* cramMd5(_initial: ByteString | undefined, session: SaltSource): SaslExchange {
  const challenge = session.salt;
  const message = decodeBase64(yield encodeBase64(challenge));
  if (message === null) return "base64 encoding";
  const [, user, digest] = /^([^ ]*) (.{32})$/s.exec(message) ?? [];
  if (user === undefined || digest === undefined || !isClean(digest)) return "CRAM-MD5 hash";
  return isClean(user) ? { method: "cram-md5", login: user, digest, salt: challenge } : "login";
}

/** RFC 4422 appendix A; nginx asks for the name with LOGIN's first question. */
function* external(initial?: ByteString): SaslExchange {
  const user = decodeBase64(initial ?? (yield USERNAME));
  if (user === null) return "base64 encoding";
  return isClean(user) ? { method: "external", login: user } : "login";
}

function bearer(
  method: "xoauth2" | "oauthbearer",
  read: (message: ByteString) => Bearer | null,
): Mechanism {
  function* begin(initial?: ByteString): SaslExchange {
    const message = decodeBase64(initial ?? (yield ""));
    if (message === null) return "base64 encoding";
    const found = read(message);
    if (found === null) return "bearer token";
    return isClean(found.user) ? { method, login: found.user, token: found.token } : "login";
  }
  return { begin, optional: true, initial: true, tlsOnly: true };
}

/**
 * Refuses credentials with CR, LF or NUL, which would become commands to an upstream or lines in a log. nginx passes
 * them on.
 */
export function credentials(user: ByteString, password: ByteString): Credentials | null {
  const found = checked(user, password);
  return typeof found === "string" ? null : found;
}

function checked(user: ByteString, password: ByteString): Credentials | InvalidPart {
  if (!isClean(user)) return "login";
  return isClean(password) ? { method: "plain", login: user, password } : "password";
}

export function isClean(value: ByteString): boolean {
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  return !/[\r\n\0]/.test(value);
}

/** Decodes like nginx: it ignores the text after the first `=`, and padding may be missing. */
function decodeBase64(text: ByteString): ByteString | null {
  const [digits = ""] = text.split("=", 1);
  if (digits.length % 4 === 1 || !/^[A-Za-z0-9+/]*$/.test(digits)) return null;
  return Buffer.from(digits, "base64").toString("latin1");
}

export function encodeBase64(bytes: ByteString): string {
  return Buffer.from(bytes, "latin1").toString("base64");
}
