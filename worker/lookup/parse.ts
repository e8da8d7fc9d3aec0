/** Parses a lookup's headers. */
import { type Ip, parseIp } from "../../shared/address.ts";
import {
  type AuthMethod,
  BOOKMARK_HEADER,
  type ProtocolName,
  unescapeValue,
} from "../../shared/lookup.ts";
import { isBookmark } from "../../shared/user-version.ts";
import type { ClientCertificate, ParsedCredentials } from "./methods/index.ts";

export interface ParsedLookup extends ParsedCredentials {
  readonly method: AuthMethod;
  /** The client's address; null if it has none, as on a unix socket. */
  readonly client: Ip | null;
  /** The extensions to nginx's protocol that the caller supports (`Auth-Accept`). nginx supports none. */
  readonly accepts: ReadonlySet<string>;
  /** A bookmark of D1: the directory must be read at least as new. Null if the caller sends none. */
  readonly bookmark: string | null;
  /** With `none`, the whole RCPT command; else empty. */
  readonly recipient: string;
  /** The number of this attempt in its session, from 1. */
  readonly attempt: number;
}

/** A lookup that nginx would not send. The message contains no header value. */
export class MalformedLookup extends Error {
  override name = "MalformedLookup";
}

export function parse(headers: Headers): ParsedLookup | MalformedLookup {
  try {
    return parseHeaders(headers);
  } catch (error) {
    if (error instanceof MalformedLookup) return error;
    throw error;
  }
}

/** @throws MalformedLookup */
function parseHeaders(headers: Headers): ParsedLookup {
  const protocol = oneOf(PROTOCOLS, headers, "Auth-Protocol");
  const method = oneOf(METHODS, headers, "Auth-Method");
  // With IMAP or POP3 it would open a mailbox without a password.
  if (method === "none" && protocol !== "smtp") {
    throw new MalformedLookup("Auth-Method none is for SMTP alone");
  }
  return {
    protocol,
    method,
    login: credentialText(headers, "Auth-User"),
    proof: credential(headers, "Auth-Pass"),
    salt: method === "apop" || method === "cram-md5" ? required(headers, "Auth-Salt") : "",
    certificate: certificate(headers),
    client: clientAddress(headers.get("Client-IP")),
    accepts: new Set((headers.get("Auth-Accept") ?? "").toLowerCase().match(/[^ \t,]+/g)),
    bookmark: bookmark(headers.get(BOOKMARK_HEADER)),
    recipient: headers.get("Auth-SMTP-To") ?? "",
    attempt: attemptNumber(headers.get("Auth-Login-Attempt")),
  };
}

const PROTOCOLS: readonly ProtocolName[] = ["imap", "pop3", "smtp"];
const METHODS: readonly AuthMethod[] = [
  "plain",
  "apop",
  "cram-md5",
  "external",
  "xoauth2",
  "oauthbearer",
  "none",
];

function certificate(headers: Headers): ClientCertificate | null {
  if (headers.get("Auth-SSL-Verify") !== "SUCCESS") return null;
  return {
    subject: distinguishedName(headers.get("Auth-SSL-Subject")),
    issuer: distinguishedName(headers.get("Auth-SSL-Issuer")),
    fingerprint: headers.get("Auth-SSL-Fingerprint")?.toLowerCase() ?? null,
  };
}

/** Workers decode headers as UTF-8. Two different names that are not UTF-8 may decode to the same text. */
function distinguishedName(value: string | null): string | null {
  return value?.includes("\u{FFFD}") === true ? null : value;
}

function oneOf<Name extends string>(
  known: readonly Name[],
  headers: Headers,
  header: string,
): Name {
  const value = required(headers, header);
  const name = known.find((candidate) => candidate === value);
  if (name === undefined) throw new MalformedLookup(`${header} is unknown`);
  return name;
}

function required(headers: Headers, header: string): string {
  const value = headers.get(header);
  if (value === null) throw new MalformedLookup(`${header} is missing`);
  return value;
}

/** CR, LF and NUL would end a command at the mail server. */
const FORBIDDEN = [0x0d, 0x0a, 0x00];

function credential(headers: Headers, header: string): Uint8Array {
  const value = required(headers, header);
  // Callers escape blanks. `Headers` joins two headers of one name with a comma and a blank.
  if (/[ \t]/.test(value)) throw new MalformedLookup(`${header} is there twice, or not escaped`);
  // Workers decode headers as UTF-8, with this character for invalid bytes. Two different passwords may decode to
  // the same text, so the value must not be compared.
  if (value.includes("\u{FFFD}")) throw new MalformedLookup(`${header} is not UTF-8`);
  const bytes = unescaped(value, header);
  if (FORBIDDEN.some((byte) => bytes.includes(byte))) {
    throw new MalformedLookup(`${header} holds CR, LF or NUL`);
  }
  return bytes;
}

function unescaped(value: string, header: string): Uint8Array {
  try {
    return unescapeValue(value);
  } catch (error) {
    throw new MalformedLookup(`${header} holds a broken percent-escape`, { cause: error });
  }
}

function credentialText(headers: Headers, header: string): string {
  const bytes = credential(headers, header);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new MalformedLookup(`${header} is not UTF-8`, { cause: error });
  }
}

/**
 * The header may be absent, as in a try with curl, and a client on a unix socket has no address. An unreadable
 * address is an error, so that it cannot evade the rules for networks.
 */
function clientAddress(value: string | null): Ip | null {
  if (value === null || value === "unix:") return null;
  // The zone of a link-local address (RFC 4007 section 11) is not part of the address.
  const ip = parseIp(value.replace(/%.*$/, ""));
  if (ip === null) throw new MalformedLookup("Client-IP is no address");
  return ip;
}

/** A malformed bookmark is ignored: the caller sees by the reply's version that it is not new enough. */
function bookmark(value: string | null): string | null {
  return isBookmark(value) ? value : null;
}

/** The header may be absent, as in a try with curl. */
function attemptNumber(value: string | null): number {
  if (value === null) return 1;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new MalformedLookup("Auth-Login-Attempt is no number");
  return Number(value);
}
