/** nginx's ngx_mail_auth_http_module: where lookups go. */
import { MAIL, type Rows, eachOf, lastOf, once } from "./directive.ts";
import { ConfigError } from "./error.ts";
import type { Directive } from "./parser.ts";
import { pemFile } from "./ssl.ts";
import { flag, text, time, words } from "./values.ts";

export interface LookupEndpoint {
  readonly https: boolean;
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** The `Host` header: the host as it was written, without the port, as nginx sends it. */
  readonly hostHeader: string;
  /** The request target, verbatim. */
  readonly uri: string;
}

/** `[http://]HOST[:PORT][/URI]`: port 80 and `/` unless given; ours, `https://…`: port 443. */
function endpoint(directive: Directive): LookupEndpoint {
  const url = text(directive);
  const [, https, hostHeader = "", port = https === undefined ? "80" : "443", uri = ""] =
    /^(?:http:\/\/|(https:\/\/))?(\[[^\]]*\]|[^:/?]*)(?::([^/?]*))?([/?].*)?$/s.exec(url) ?? [];
  if (hostHeader === "" || hostHeader === "[]") {
    throw new ConfigError(`no host in auth_http "${url}"`, directive);
  }
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new ConfigError(`invalid port in auth_http "${url}"`, directive);
  }
  return {
    https: https !== undefined,
    host: hostHeader.replace(/^\[|\]$/g, ""),
    port: Number(port),
    hostHeader,
    uri: uri === "" ? "/" : uri,
  };
}

/** A header for every lookup, often the key that the endpoint asks for. */
function header(directive: Directive): string {
  const [name, value] = words(directive);
  return `${name}: ${value}`;
}

export const authHttp = {
  auth_http: {
    in: MAIL,
    args: 1,
    read: lastOf(endpoint),
    default: null as LookupEndpoint | null,
  },
  auth_http_timeout: { in: MAIL, args: 1, read: once(time), default: 60_000 },
  auth_http_header: {
    in: MAIL,
    args: 2,
    read: eachOf(header),
    default: [] as readonly string[],
  },
  /** Ours: `off` is nginx's way, one HTTP/1.0 connection a lookup. */
  auth_http_keepalive: { in: MAIL, args: 1, read: once(flag), default: true },
  /** Ours: whether the endpoint's certificate must hold, and whom to trust for it. */
  auth_http_ssl_verify: { in: MAIL, args: 1, read: once(flag), default: true },
  auth_http_trusted_certificate: {
    in: MAIL,
    args: 1,
    read: once(pemFile),
    default: null as string | null,
  },
} satisfies Rows;
