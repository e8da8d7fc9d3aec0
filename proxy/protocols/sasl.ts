/** SASL (RFC 4422): the mechanisms as exchanges of base64 lines, the same in all three protocols. */
import type { ByteString } from "../../shared/lookup.ts";
import { type Bearer, parseOauthbearer, parseXoauth2 } from "./oauth.ts";

/** What a client showed to authenticate who it is. */
export type Credentials =
  | { readonly method: "plain"; readonly login: ByteString; readonly password: ByteString }
  /** A digest over the password and our salt (RFC 1939 section 7, RFC 2195). */
  | {
      readonly method: "apop" | "cram-md5";
      readonly login: ByteString;
      readonly digest: ByteString;
      readonly salt: string;
    }
  /** A name that the client's certificate is to vouch for (RFC 4422 appendix A). */
  | { readonly method: "external"; readonly login: ByteString }
  /** A bearer token (RFC 6750). */
  | {
      readonly method: "xoauth2" | "oauthbearer";
      readonly login: ByteString;
      readonly token: ByteString;
    }
  /** No login: an SMTP recipient, whose route the lookup knows. */
  | {
      readonly method: "none";
      /** The argument of HELO or EHLO; empty where there was none. */
      readonly helo: ByteString;
      /** The whole MAIL and RCPT commands. */
      readonly from: ByteString;
      readonly to: ByteString;
    };

/** What was wrong with a response; nginx's words, but for the last. */
type Flaw = "base64 encoding" | "login" | "password" | "CRAM-MD5 hash" | "bearer token";

/** Yields challenges in base64, and is resumed with responses in base64. */
export type Exchange = Generator<string, Credentials | Flaw, ByteString>;

/** @param salt the session's, made when it is first asked for */
type Begin = (initial: ByteString | undefined, salt: () => string) => Exchange;

interface Mechanism {
  readonly begin: Begin;
  /** Whether it works only where `*_auth` names it; nginx takes PLAIN and LOGIN regardless. */
  readonly optional: boolean;
  /** Whether the client may speak first (RFC 4422 section 3). */
  readonly initial: boolean;
  /** Whether it is for TLS only: a bearer token in the clear is anybody's (RFC 6750 section 5.3). */
  readonly secure: boolean;
}

/** What a mechanism may count on. */
interface Surroundings {
  /** What `*_auth` names. */
  readonly enabled: readonly string[];
  /** Whether nothing else will do (`auth_strict`). */
  readonly strict: boolean;
  /** Whether TLS is active. */
  readonly secure: boolean;
  /** The session's salt, made when it is first asked for. */
  readonly salt: () => string;
}

/** nginx asks for both steps of LOGIN in these words. */
const USERNAME = "VXNlcm5hbWU6";
const PASSWORD = "UGFzc3dvcmQ6";

const MECHANISMS: ReadonlyMap<string, Mechanism> = new Map([
  ["plain", { begin: plain, optional: false, initial: true, secure: false }],
  ["login", { begin: login, optional: false, initial: true, secure: false }],
  ["cram-md5", { begin: cramMd5, optional: true, initial: false, secure: false }],
  ["external", { begin: external, optional: true, initial: true, secure: false }],
  ["xoauth2", bearer("xoauth2", parseXoauth2)],
  ["oauthbearer", bearer("oauthbearer", parseOauthbearer)],
]);

/** The words of a `*_auth` directive that may be offered now. */
export function offered(enabled: readonly string[], secure: boolean): readonly string[] {
  return enabled.filter((word) => secure || MECHANISMS.get(word)?.secure !== true);
}

/**
 * Begins an exchange.
 *
 * @param name in any case
 * @returns null for a mechanism that is unknown, not enabled, or spoken out of turn
 */
export function exchange(
  name: ByteString,
  initial: ByteString | undefined,
  { enabled, strict, secure, salt }: Surroundings,
): Exchange | null {
  const word = name.toLowerCase();
  const found = MECHANISMS.get(word);
  if (found === undefined) return null;
  if ((found.optional || strict) && !enabled.includes(word)) return null;
  if (found.secure && !secure) return null;
  if (initial !== undefined && !found.initial) return null;
  return found.begin(initial, salt);
}

/** RFC 4616: authorization identity (which nginx ignores) NUL login NUL password. */
function* plain(initial?: ByteString): Exchange {
  const message = decodeBase64(initial ?? (yield ""));
  if (message === null) return "base64 encoding";
  const [, user, ...passwords] = message.split("\0");
  if (user === undefined || message.indexOf("\0") === message.length - 1) return "login";
  return passwords.length === 1 ? checked(user, passwords.join("")) : "password";
}

/** draft-murchison-sasl-login: two questions, two answers. */
function* login(initial?: ByteString): Exchange {
  const user = decodeBase64(initial ?? (yield USERNAME));
  if (user === null) return "base64 encoding";
  const password = decodeBase64(yield PASSWORD);
  return password === null ? "base64 encoding" : checked(user, password);
}

/** RFC 2195: the login, a space, and 32 hexadecimal digits. */
function* cramMd5(_initial: ByteString | undefined, salt: () => string): Exchange {
  const challenge = salt();
  const message = decodeBase64(yield encodeBase64(challenge));
  if (message === null) return "base64 encoding";
  const [, user, digest] = /^([^ ]*) (.{32})$/s.exec(message) ?? [];
  if (user === undefined || digest === undefined || !isClean(digest)) return "CRAM-MD5 hash";
  return isClean(user) ? { method: "cram-md5", login: user, digest, salt: challenge } : "login";
}

/** RFC 4422 appendix A; nginx asks for the name with LOGIN's first question. */
function* external(initial?: ByteString): Exchange {
  const user = decodeBase64(initial ?? (yield USERNAME));
  if (user === null) return "base64 encoding";
  return isClean(user) ? { method: "external", login: user } : "login";
}

function bearer(
  method: "xoauth2" | "oauthbearer",
  read: (message: ByteString) => Bearer | null,
): Mechanism {
  function* begin(initial?: ByteString): Exchange {
    const message = decodeBase64(initial ?? (yield ""));
    if (message === null) return "base64 encoding";
    const found = read(message);
    if (found === null) return "bearer token";
    return isClean(found.user) ? { method, login: found.user, token: found.token } : "login";
  }
  return { begin, optional: true, initial: true, secure: true };
}

/**
 * Credentials that hold CR, LF or NUL are refused: they would become commands to an upstream, or lines in
 * a log (nginx passes them on).
 */
export function credentials(user: ByteString, password: ByteString): Credentials | null {
  const found = checked(user, password);
  return typeof found === "string" ? null : found;
}

function checked(user: ByteString, password: ByteString): Credentials | Flaw {
  if (!isClean(user)) return "login";
  return isClean(password) ? { method: "plain", login: user, password } : "password";
}

export function isClean(value: ByteString): boolean {
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  return !/[\r\n\0]/.test(value);
}

/** nginx's reading: what follows the first `=` is ignored, padding may be left out. */
function decodeBase64(text: ByteString): ByteString | null {
  const [digits = ""] = text.split("=", 1);
  if (digits.length % 4 === 1 || !/^[A-Za-z0-9+/]*$/.test(digits)) return null;
  return Buffer.from(digits, "base64").toString("latin1");
}

export function encodeBase64(bytes: ByteString): string {
  return Buffer.from(bytes, "latin1").toString("base64");
}
