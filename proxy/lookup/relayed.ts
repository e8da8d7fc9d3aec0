/** The request that the relay passes on, and the reply that it passes back. */
import { type ByteString, escapeValue, unescapeBytes } from "../../shared/lookup.ts";
import { reasonPhrase } from "../http-status.ts";
import { version } from "../version.ts";
import { stripBlanks } from "../transport/index.ts";
import type { LookupEndpoint } from "../config/index.ts";
import { type ReplyHead, TOKEN } from "./reply.ts";

/** Headers of the connection (RFC 9110 section 7.6.1), and headers that the relay sets itself. */
const DROPPED: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "expect",
  "user-agent",
]);

/** Headers that nginx escapes. Towards `https://` more bytes are, because intermediaries alter them. */
const ESCAPED: ReadonlySet<string> = new Set(["auth-user", "auth-pass"]);

/**
 * @param lines the request line and the headers, without line ends
 * @returns null for a request that is no lookup
 */
export function relayedRequest(
  [start = "", ...headers]: readonly ByteString[],
  { https, uri, hostHeader }: LookupEndpoint,
  keepalive: boolean,
): ByteString | null {
  if (!/^GET [\x21-\xff]+ HTTP\/1\.[01]$/.test(start)) return null;
  const lines = [`GET ${uri} HTTP/${keepalive ? "1.1" : "1.0"}`, `Host: ${hostHeader}`];
  for (const header of headers) {
    const colon = header.indexOf(":");
    const name = header.slice(0, Math.max(colon, 0));
    const value = stripBlanks(header.slice(colon + 1));
    // oxlint-disable-next-line no-control-regex -- another parser would read them differently
    if (!TOKEN.test(name) || /[\x00-\x08\x0a-\x1f]/.test(value)) return null;
    const known = name.toLowerCase();
    if (DROPPED.has(known)) continue;
    lines.push(`${name}: ${ESCAPED.has(known) ? escapedAnew(value, https) : value}`);
  }
  if (https) lines.push(`User-Agent: postern/${version}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A broken escape is passed on for the endpoint to refuse. */
function escapedAnew(value: ByteString, https: boolean): ByteString {
  try {
    return escapeValue(unescapeBytes(value), https);
  } catch {
    return value;
  }
}

/**
 * The `Auth-*` headers of the reply. A reply without an answer becomes 502, since nginx takes an error page
 * without `Auth-Status` for a yes.
 */
export function relayedReply({ status, fields, reply }: ReplyHead): ByteString {
  if (reply.kind === "unavailable" && reply.text === null) return emptyReply(502);
  const told = [...fields].filter(([name]) => name.startsWith("auth-"));
  const lines = told.map(([name, value]) => `${name}: ${value}\r\n`);
  return emptyReply(status, lines.join(""));
}

/** @param headers each with its line end */
export function emptyReply(status: number, headers = ""): ByteString {
  return `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`;
}
