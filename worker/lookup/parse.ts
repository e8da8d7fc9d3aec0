/** A lookup's headers, read into what they mean. */
import { type Ip, parseIp } from "../../shared/address.ts";
import { type AuthMethod, type ProtocolName, unescapeValue } from "../../shared/lookup.ts";

export interface LookupRequest {
  readonly protocol: ProtocolName;
  readonly method: AuthMethod;
  /** As the client typed it; may be empty. */
  readonly login: string;
  /** `Auth-Pass`: the client's password, byte for byte, or what the method has instead. May be empty. */
  readonly proof: Uint8Array;
  /** With `apop` and `cram-md5`, what the client was challenged with; empty otherwise. */
  readonly salt: string;
  /** What the client's certificate is known by, if the caller has found it good; null otherwise. */
  readonly certificate: Certificate | null;
  /** The client's address; null where it has none, as on a unix socket. */
  readonly client: Ip | null;
  /** What the caller understands of our replies beyond nginx's (`Auth-Accept`). */
  readonly accepts: ReadonlySet<string>;
  /** With `none`, the whole RCPT command; empty otherwise. */
  readonly recipient: string;
  /** Which attempt of its session this is, from 1. */
  readonly attempt: number;
}

/** Each as nginx writes it; null where the caller does not say. */
interface Certificate {
  /** RFC 2253. */
  readonly subject: string | null;
  /** SHA-1, in hex of lower case. */
  readonly fingerprint: string | null;
}

/** A lookup that no caller of nginx's kind would send. The message holds no value of it. */
export class MalformedLookup extends Error {
  override name = "MalformedLookup";
}

/** @throws MalformedLookup */
export function readLookup(headers: Headers): LookupRequest {
  const protocol = oneOf(PROTOCOLS, headers, "Auth-Protocol");
  const method = oneOf(METHODS, headers, "Auth-Method");
  // Elsewhere it would open a mailbox to whoever knows its address.
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
    accepts: new Set((headers.get("Auth-Accept") ?? "").toLowerCase().split(/[\s,]+/)),
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

function certificate(headers: Headers): Certificate | null {
  if (headers.get("Auth-SSL-Verify") !== "SUCCESS") return null;
  const subject = headers.get("Auth-SSL-Subject");
  return {
    // Of bytes that are no UTF-8, two different names may have become one here.
    subject: subject?.includes("\u{FFFD}") === true ? null : subject,
    fingerprint: headers.get("Auth-SSL-Fingerprint")?.toLowerCase() ?? null,
  };
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

/** CR, LF and NUL: in a credential they would end a command at the mail server. */
const FORBIDDEN = [0x0d, 0x0a, 0x00];

function credential(headers: Headers, header: string): Uint8Array {
  const value = required(headers, header);
  // Callers escape blanks, and two headers of one name are one here, with a comma and a blank between.
  if (/[ \t]/.test(value)) throw new MalformedLookup(`${header} is there twice, or not escaped`);
  // Workers decode headers as UTF-8: this is what became of bytes that are none. Two different
  // passwords may have become one here, so nothing may be decided by it.
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
 * Absent, as people leave it who try this out with curl, and on a unix socket it is nobody's. What cannot be
 * read could be anybody's, and rules for networks must not be got round by it.
 */
function clientAddress(value: string | null): Ip | null {
  if (value === null || value === "unix:") return null;
  // A link-local address comes with its zone (RFC 4007 section 11), which is no part of it.
  const ip = parseIp(value.replace(/%.*$/, ""));
  if (ip === null) throw new MalformedLookup("Client-IP is no address");
  return ip;
}

/** Absent, it is the first: people who try this out with curl leave it away. */
function attemptNumber(value: string | null): number {
  if (value === null) return 1;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new MalformedLookup("Auth-Login-Attempt is no number");
  return Number(value);
}
