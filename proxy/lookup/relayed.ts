/** Lookups that somebody else has written, as they are passed on; and what is passed back. */
import { type ByteString, escapeValue, unescapeBytes } from "../../shared/lookup.ts";
import { version } from "../version.ts";
import type { LookupEndpoint } from "../config/index.ts";
import { type Head, TOKEN } from "./reply.ts";

/** Of the connection, not of what is asked (RFC 9110 section 7.6.1); and what we say of ourselves. */
const OURS: ReadonlySet<string> = new Set([
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

/** What nginx escapes, but for bytes that only `https://` intermediaries would alter. */
const ESCAPED: ReadonlySet<string> = new Set(["auth-user", "auth-pass"]);

/**
 * @param lines the request line and the headers, without line ends
 * @returns null for what is no lookup
 */
export function relayedRequest(
  [start = "", ...headers]: readonly ByteString[],
  { https, uri, hostHeader }: LookupEndpoint,
  keepalive: boolean,
): ByteString | null {
  if (!/^GET [\x21-\xff]+ HTTP\/1\.[01]$/.test(start)) return null;
  const lines = [`GET ${uri} HTTP/${keepalive ? "1.1" : "1.0"}`, `Host: ${hostHeader}`];
  for (const header of headers) {
    const [, name = "", value = ""] = /^([^:]*):[ \t]*(.*?)[ \t]*$/.exec(header) ?? [];
    // oxlint-disable-next-line no-control-regex -- they would be read otherwise by somebody else
    if (!TOKEN.test(name) || /[\x00-\x08\x0a-\x1f]/.test(value)) return null;
    const known = name.toLowerCase();
    if (OURS.has(known)) continue;
    lines.push(`${name}: ${ESCAPED.has(known) ? escapedAnew(value, https) : value}`);
  }
  if (https) lines.push(`User-Agent: postern/${version}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A broken escape is passed on, for the endpoint to refuse. */
function escapedAnew(value: ByteString, https: boolean): ByteString {
  try {
    return escapeValue(unescapeBytes(value), https);
  } catch {
    return value;
  }
}

/**
 * What nginx is told: the headers that are for it, and of those only what makes an answer, since nginx takes an
 * error page without `Auth-Status` for a yes.
 */
export function relayedReply({ status, fields, answer }: Head): ByteString {
  if (answer.kind === "unavailable" && answer.text === null) return emptyReply(502);
  const told = [...fields].filter(([name]) => name.startsWith("auth-"));
  const lines = told.map(([name, value]) => `${name}: ${value}\r\n`);
  return emptyReply(status, lines.join(""));
}

const WORDS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** @param headers each with its line end */
export function emptyReply(status: number, headers = ""): ByteString {
  const words = WORDS[status] ?? "";
  return `HTTP/1.1 ${status} ${words}\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`;
}
