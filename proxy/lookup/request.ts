/** A lookup as nginx writes it: its headers, in its order. */
import { randomUUID } from "node:crypto";
import { canonicalName } from "../../shared/host-pattern.ts";
import { type ByteString, escapeValue } from "../../shared/lookup.ts";
import { version } from "../version.ts";
import type { LookupEndpoint } from "../config/index.ts";
import type { Credentials } from "../protocols/index.ts";
import type { LookupRequest } from "./authority.ts";
import { tlsHeaders } from "./tls-headers.ts";

/** What a lookup says beside what is asked. */
export interface RequestSettings {
  readonly auth_http: LookupEndpoint;
  /** HTTP/1.1, to be followed by more; otherwise HTTP/1.0, as nginx speaks it. */
  readonly auth_http_keepalive: boolean;
  /** Whether the client's certificate is told as well. */
  readonly auth_http_pass_client_cert: boolean;
  /** More lines, verbatim. */
  readonly auth_http_header: readonly string[];
  /** Null where nothing is kept. */
  readonly auth_http_cache: object | null;
}

export function formatRequest(settings: RequestSettings, request: LookupRequest): ByteString {
  const { https, uri, hostHeader } = settings.auth_http;
  const { credentials, protocol, attempt, client, clientHost, proxied, tls } = request;
  const [login, secret] = shown(credentials);
  const lines = [
    `GET ${uri} HTTP/${settings.auth_http_keepalive ? "1.1" : "1.0"}`,
    `Host: ${hostHeader}`,
    `Auth-Method: ${credentials.method}`,
    `Auth-User: ${escapeValue(login, https)}`,
    `Auth-Pass: ${escapeValue(secret, https)}`,
  ];
  if ("salt" in credentials) lines.push(`Auth-Salt: ${credentials.salt}`);
  lines.push(
    `Auth-Protocol: ${protocol}`,
    `Auth-Login-Attempt: ${attempt}`,
    `Client-IP: ${client}`,
  );
  if (protocol === "smtp") lines.push(`Client-Host: ${clientHost}`);
  if (proxied !== null) {
    const { source, destination } = proxied;
    lines.push(`Proxy-Protocol-Addr: ${source.host}`, `Proxy-Protocol-Port: ${source.port}`);
    lines.push(`Proxy-Protocol-Server-Addr: ${destination.host}`);
    lines.push(`Proxy-Protocol-Server-Port: ${destination.port}`);
  }
  if (credentials.method === "none") {
    const { helo, from, to } = credentials;
    lines.push(`Auth-SMTP-Helo: ${helo}`, `Auth-SMTP-From: ${from}`, `Auth-SMTP-To: ${to}`);
  }
  if (tls !== null) lines.push(...tlsHeaders(tls, settings.auth_http_pass_client_cert, https));
  lines.push(settings.auth_http_cache === null ? ACCEPT : `${ACCEPT}, cache`);
  lines.push(`Traceparent: 00-${request.trace}-${newSpan()}-01`);
  const serverName = canonicalName(tls?.serverName ?? "");
  if (serverName !== null) lines.push(`Auth-SSL-Server-Name: ${serverName}`);
  // Intermediaries on the way to a distant endpoint turn away requests without one.
  if (https) lines.push(`User-Agent: postern/${version}`);
  lines.push(...settings.auth_http_header);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** What we understand of replies beyond nginx's: names for addresses, TLS upstream, other servers to try. */
const ACCEPT = "Auth-Accept: hostname, tls, fallback";

/** An id for one lookup (W3C Trace Context, parent-id), never zero: this half of a UUID begins with a 1. */
function newSpan(): string {
  return randomUUID().slice(19).replace("-", "");
}

/** What stands in `Auth-User` and `Auth-Pass`. */
function shown(credentials: Credentials): readonly [login: ByteString, secret: ByteString] {
  switch (credentials.method) {
    case "plain":
      return [credentials.login, credentials.password];
    case "apop":
    case "cram-md5":
      return [credentials.login, credentials.digest];
    case "xoauth2":
    case "oauthbearer":
      return [credentials.login, credentials.token];
    case "external":
      return [credentials.login, ""];
    case "none":
      return ["", ""];
  }
}
