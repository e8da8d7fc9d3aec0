/** A lookup's request as nginx writes it: its headers, in its order. */
import { canonicalName } from "../../shared/host-pattern.ts";
import { BOOKMARK_HEADER, type ByteString, escapeValue } from "../../shared/lookup.ts";
import type { LookupEndpoint } from "../config/index.ts";
import type { Credentials } from "../protocols/index.ts";
import type { Proxied } from "../proxy-protocol/index.ts";
import { newSpanId } from "../trace-context.ts";
import { version } from "../version.ts";
import type { LookupRequest } from "./lookup.ts";
import { tlsHeaders } from "./tls-headers.ts";

export interface RequestSettings {
  readonly auth_http: LookupEndpoint;
  /** True for HTTP/1.1, to be followed by more requests; otherwise HTTP/1.0, as nginx speaks it. */
  readonly auth_http_keepalive: boolean;
  /** True where the client's certificate is sent as well. */
  readonly auth_http_pass_client_cert: boolean;
  /** More lines, verbatim. */
  readonly auth_http_header: readonly string[];
  /** Null where no reply is kept. */
  readonly auth_http_cache: object | null;
}

export interface FormattedLookup {
  /** The request, whole. */
  readonly text: ByteString;
  /** The request without the lines in which two lookups of the same question differ. */
  readonly identity: ByteString;
}

/** The headers of Postern beyond nginx's: host names as addresses, TLS upstream, more servers to try. */
const ACCEPT = "Auth-Accept: hostname, tls, fallback";

/** Formats the lookups of one server; the lines that all of them share are made once. */
export class LookupFormatter {
  readonly #settings: RequestSettings;
  readonly #start: string;
  readonly #accept: string;
  readonly #end: string;

  constructor(settings: RequestSettings) {
    const { auth_http, auth_http_keepalive, auth_http_cache, auth_http_header } = settings;
    const { https, uri, hostHeader } = auth_http;
    this.#settings = settings;
    this.#start = `GET ${uri} HTTP/${auth_http_keepalive ? "1.1" : "1.0"}\r\nHost: ${hostHeader}\r\n`;
    this.#accept = `${ACCEPT}${auth_http_cache === null ? "" : ", cache"}\r\n`;
    // Intermediaries on the way to a distant endpoint turn away requests without a User-Agent.
    const agent = https ? [`User-Agent: postern/${version}`] : [];
    this.#end = [...agent, ...auth_http_header, "\r\n"].join("\r\n");
  }

  format(request: LookupRequest): FormattedLookup {
    const { https } = this.#settings.auth_http;
    const { credentials, protocol, client, clientHost, proxied, tls } = request;
    const who =
      this.#start + credentialLines(credentials, https) + `Auth-Protocol: ${protocol}\r\n`;
    const attempt = `Auth-Login-Attempt: ${request.attempt}\r\n`;
    let where = `Client-IP: ${client}\r\n`;
    if (protocol === "smtp") where += `Client-Host: ${clientHost}\r\n`;
    if (proxied !== null) where += proxiedLines(proxied);
    if (credentials.method === "none") where += transactionLines(credentials);
    if (tls !== null) {
      where += tlsHeaders(tls, this.#settings.auth_http_pass_client_cert, https);
    }
    where += this.#accept;
    const trace = `Traceparent: 00-${request.trace}-${newSpanId()}-01\r\n`;
    const serverName = canonicalName(tls?.serverName ?? "");
    const end =
      serverName === null ? this.#end : `Auth-SSL-Server-Name: ${serverName}\r\n${this.#end}`;
    return { text: who + attempt + where + trace + end, identity: who + where + end };
  }
}

/** The request for a reply that is not older than a bookmark of the directory. */
export function withBookmark(text: ByteString, bookmark: string): ByteString {
  return `${text.slice(0, -2)}${BOOKMARK_HEADER}: ${bookmark}\r\n\r\n`;
}

function credentialLines(credentials: Credentials, https: boolean): string {
  const login = "login" in credentials ? escapeValue(credentials.login, https) : "";
  const secret = escapeValue(secretOf(credentials), https);
  const lines = `Auth-Method: ${credentials.method}\r\nAuth-User: ${login}\r\nAuth-Pass: ${secret}\r\n`;
  return "salt" in credentials ? `${lines}Auth-Salt: ${credentials.salt}\r\n` : lines;
}

/** The content of `Auth-Pass`. */
function secretOf(credentials: Credentials): ByteString {
  switch (credentials.method) {
    case "plain":
      return credentials.password;
    case "apop":
    case "cram-md5":
      return credentials.digest;
    case "xoauth2":
    case "oauthbearer":
      return credentials.token;
    case "external":
    case "none":
      return "";
  }
}

function proxiedLines({ source, destination }: Proxied): string {
  return (
    `Proxy-Protocol-Addr: ${source.host}\r\nProxy-Protocol-Port: ${source.port}\r\n` +
    `Proxy-Protocol-Server-Addr: ${destination.host}\r\n` +
    `Proxy-Protocol-Server-Port: ${destination.port}\r\n`
  );
}

function transactionLines({ helo, from, to }: Credentials & { method: "none" }): string {
  return `Auth-SMTP-Helo: ${helo}\r\nAuth-SMTP-From: ${from}\r\nAuth-SMTP-To: ${to}\r\n`;
}
