/**
 * The lookup protocol: nginx's `auth_http` with Postern's additions.
 *
 * A lookup is a GET. Its request headers carry the client's credentials, and its reply headers name the mail
 * server. The proxy and the worker share this file so that they cannot drift apart.
 * Source: nginx's ngx_mail_auth_http_module and its documentation.
 */

/** The mail protocols, in nginx's spelling (`Auth-Protocol`). */
export type ProtocolName = "imap" | "pop3" | "smtp";

/**
 * The method by which the client authenticates (`Auth-Method`). `none` is an SMTP recipient without a login. `xoauth2` and
 * `oauthbearer` are Angie's and freenginx's: `Auth-Pass` holds the bearer token.
 */
export type AuthMethod =
  | "plain"
  | "apop"
  | "cram-md5"
  | "external"
  | "xoauth2"
  | "oauthbearer"
  | "none";

/** TLS to the mail server (`Auth-Upstream-TLS`): none, after STARTTLS or STLS, or from the first byte. */
export const TLS_MODES = ["off", "starttls", "tls"] as const;
export type TlsMode = (typeof TLS_MODES)[number];

/** WebIDL's ByteString: each character is one byte, 0x00 to 0xFF. */
export type ByteString = string;

/**
 * The time for which a reply may be cached (`Cache-Control`), in seconds: RFC 9111 section 5.2.2.1. While the endpoint does
 * not answer, the reply lasts `staleIfError` seconds longer: RFC 5861 section 4.
 */
export interface Freshness {
  readonly maxAge: number;
  readonly staleIfError: number;
}

/**
 * The reply headers with the user's `UserVersion`: on every yes about a user, to callers that send a non-empty
 * `Auth-Accept`.
 */
export const USER_ID_HEADER = "Auth-User-Id";
export const USER_VERSION_HEADER = "Auth-User-Version";

/** The request header with a bookmark of D1: the worker reads the directory at least as new as the bookmark. */
export const BOOKMARK_HEADER = "Auth-Directory-Bookmark";

/** The `Auth-Status` of a success: exactly these two capitals. */
export const STATUS_OK = "OK";

/**
 * Escapes a login or a password for a header as nginx does: `%XX` for 0x00-0x1F, space and `%`.
 * Postern also escapes 0x7F, which HTTP forbids in a field value (RFC 9110 section 5.5).
 *
 * @param eightBit also escapes bytes above 0x7F, for `https://`, where intermediaries may alter them
 */
export function escapeValue(value: ByteString, eightBit: boolean): string {
  const unsafe = eightBit ? UNSAFE_AND_EIGHT_BIT : UNSAFE;
  return value.replace(unsafe, percentEncode);
}

// oxlint-disable-next-line no-control-regex -- the pattern matches control characters
const UNSAFE = /[\x00-\x20%\x7f]/g;
// oxlint-disable-next-line no-control-regex -- as above
const UNSAFE_AND_EIGHT_BIT = /[\x00-\x20%\x7f-\xff]/g;

function percentEncode(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/**
 * Undoes `escapeValue`.
 *
 * @returns the value's bytes; text that is not escaped becomes UTF-8, since Workers decode headers as UTF-8
 * @throws URIError if a `%` is not followed by two hexadecimal digits
 */
export function unescapeValue(text: string): Uint8Array {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte));
  return Uint8Array.from(unescapeBytes(bytes.join("")), (byte) => byte.charCodeAt(0));
}

/**
 * Undoes `escapeValue` on a ByteString.
 *
 * @throws URIError if a `%` is not followed by two hexadecimal digits
 */
export function unescapeBytes(text: ByteString): ByteString {
  return text.replace(/%(.{0,2})/gs, (_, digits: string) => {
    if (!/^[\da-f]{2}$/i.test(digits)) throw new URIError("a broken percent-escape");
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
}
