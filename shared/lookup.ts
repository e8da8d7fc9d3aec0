/**
 * The lookup: nginx's `auth_http` protocol, and what Postern adds to it.
 *
 * A lookup is a GET whose request headers say who wants in and whose reply headers say where to.
 * Both halves of Postern read the names and the escaping from here, so that they cannot drift apart.
 * Source: nginx's ngx_mail_auth_http_module and its documentation.
 */

/** The mail protocols, in nginx's spelling (`Auth-Protocol`). */
export type ProtocolName = "imap" | "pop3" | "smtp";

/**
 * How the client proved itself (`Auth-Method`); `none` is an SMTP recipient without a login. The two of OAuth
 * are Angie's and freenginx's: `Auth-Pass` holds the bearer token.
 */
export type AuthMethod =
  | "plain"
  | "apop"
  | "cram-md5"
  | "external"
  | "xoauth2"
  | "oauthbearer"
  | "none";

/** TLS towards a mail server (`Auth-Upstream-TLS`): none, after STARTTLS or STLS, or from the first byte. */
export const TLS_MODES = ["off", "starttls", "tls"] as const;
export type TlsMode = (typeof TLS_MODES)[number];

/** WebIDL's ByteString: text in which each character is one byte, 0x00 to 0xFF. */
export type ByteString = string;

/**
 * For how long a reply may be used again (`Cache-Control`), seconds: RFC 9111 section 5.2.2.1; and so many more
 * while the endpoint is out of reach, RFC 5861 section 4.
 */
export interface Freshness {
  readonly maxAge: number;
  readonly staleIfError: number;
}

/** `Auth-Status` of a yes: these two letters exactly, in this case. */
export const STATUS_OK = "OK";

/**
 * Escapes a login or a password for a header as nginx does: `%XX` for 0x00-0x1F, space and `%`.
 * Postern also escapes 0x7F, which HTTP forbids in a field value (RFC 9110 section 5.5).
 *
 * @param eightBit escape bytes above 0x7F too: towards `https://`, where intermediaries may alter them
 */
export function escapeValue(value: ByteString, eightBit: boolean): string {
  const unsafe = eightBit ? UNSAFE_AND_EIGHT_BIT : UNSAFE;
  return value.replace(unsafe, percentEncode);
}

// oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
const UNSAFE = /[\x00-\x20%\x7f]/g;
// oxlint-disable-next-line no-control-regex -- as above
const UNSAFE_AND_EIGHT_BIT = /[\x00-\x20%\x7f-\xff]/g;

function percentEncode(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/**
 * Undoes `escapeValue`.
 *
 * @returns the value's bytes; what was not escaped counts as UTF-8, as which Workers decode headers
 * @throws URIError if a `%` is not followed by two hexadecimal digits
 */
export function unescapeValue(text: string): Uint8Array {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte));
  return Uint8Array.from(unescapeBytes(bytes.join("")), (byte) => byte.charCodeAt(0));
}

/**
 * Undoes `escapeValue` where bytes were kept as they are.
 *
 * @throws URIError if a `%` is not followed by two hexadecimal digits
 */
export function unescapeBytes(text: ByteString): ByteString {
  return text.replace(/%(.{0,2})/gs, (_, digits: string) => {
    if (!/^[\da-f]{2}$/i.test(digits)) throw new URIError("a broken percent-escape");
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
}
