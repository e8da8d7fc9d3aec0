/** nginx's ngx_mail_auth_http_module: the endpoint of lookups. */
import type { ByteString } from "../../../../shared/lookup.ts";
import { decoded } from "../../../bytes.ts";
import { ConfigError } from "../../language/error.ts";
import { MAIL, type Rows, type Values, eachOf, lastOf, once } from "../../language/row.ts";
import {
  checkHost,
  checkPort,
  isUnix,
  refuseIn,
  splitHost,
  unixHost,
} from "../../language/hosts/parse.ts";
import type { Directive } from "../../language/directive.ts";
import { type ClientTlsValues, CLIENT_TLS_DEFAULTS, file } from "../../tls/index.ts";
import { flag, rawWords, time, words } from "../../language/values.ts";

export interface LookupEndpoint {
  readonly https: boolean;
  /** A name or an address, without brackets, or `unix:` and a path. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** The `Host` header: the host as the file has it, without the port, as nginx sends it; `localhost` for a unix socket. */
  readonly hostHeader: ByteString;
  /** The request target, as the file has it. */
  readonly uri: ByteString;
}

/**
 * Reads `[http://]HOST[:PORT][/URI]` or `[http://]unix:PATH[:URI]`; the defaults are port 80 and `/`.
 * `https://…` is ours; its default port is 443.
 */
function endpoint(directive: Directive): LookupEndpoint {
  const [given = ""] = rawWords(directive);
  const https = given.startsWith("https://");
  const url = https ? given.slice("https://".length) : given.replace(/^http:\/\//, "");
  // A password in front of the host is a mistake, and no message tells it.
  const where = `auth_http "${decoded(url).replace(/^([^:]*:).*(?=@)/s, "$1***")}"`;
  const refuse = refuseIn(where, directive);
  if (!https && isUnix(url)) {
    const [, path = "", uri = ""] = /^unix:([^:]*)(?::(.*))?$/is.exec(url) ?? [];
    const host = unixHost(decoded(path), refuse);
    return { https, host, port: 0, hostHeader: "localhost", uri: uri || "/" };
  }
  const [, authority = "", uri = ""] = /^([^/?]*)(.*)$/s.exec(url) ?? [];
  const [hostHeader, digits] = splitHost(authority, refuse);
  const port = checkPort(digits ?? (https ? "443" : "80"), refuse);
  const host = checkHost(hostHeader, refuse);
  directive.diagnostics.lookUp(host, `host not found in ${where}`, directive);
  return { https, host, port, hostHeader, uri: uri || "/" };
}

/** Reads a header of every lookup, often the endpoint's key. */
function header(directive: Directive): ByteString {
  const [name, value] = rawWords(directive);
  return `${name}: ${value}`;
}

interface Cache {
  /** Most answers that a worker process keeps. */
  readonly entries: number;
}

const DEFAULT_ENTRIES = 10_000;
const MAX_ENTRIES = 1_000_000;

/** Reads `off`, `on` or `on entries=N`. */
function cache(directive: Directive): Cache | null {
  const [, parameter] = words(directive);
  const on = flag(directive);
  if (parameter === undefined) return on ? { entries: DEFAULT_ENTRIES } : null;
  const [, digits] = /^entries=(\d{1,7})$/.exec(parameter) ?? [];
  const entries = Number(digits);
  if (!on || !(entries >= 1 && entries <= MAX_ENTRIES)) {
    throw new ConfigError(`invalid parameter "${parameter}"`, directive);
  }
  return { entries };
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
    default: [] as readonly ByteString[],
  },
  auth_http_pass_client_cert: { in: MAIL, args: 1, read: once(flag), default: false },
  /** Ours: with `off`, each lookup has an HTTP/1.0 connection of its own, as in nginx. */
  auth_http_keepalive: { in: MAIL, args: 1, read: once(flag), default: true },
  /** Ours: keeps answers for as long as their `Cache-Control` says. */
  auth_http_cache: { in: MAIL, args: [1, 2], read: once(cache), default: null as Cache | null },
  /** Ours: unescapes `Auth-User` and `Auth-Pass` of replies, which nginx uses as they are. */
  auth_http_unescape: { in: MAIL, args: 1, read: once(flag), default: false },
} satisfies Rows;

/** Ours: TLS to an `https://` endpoint, as `proxy_ssl_*` for upstreams. */
export const authHttpSsl = {
  auth_http_ssl_verify: { in: MAIL, args: 1, read: once(flag), default: true },
  auth_http_trusted_certificate: file,
  auth_http_ssl_certificate: file,
  auth_http_ssl_certificate_key: file,
} satisfies Rows;

export function endpointTls(values: Values<typeof authHttpSsl>): ClientTlsValues {
  return {
    ...CLIENT_TLS_DEFAULTS,
    directives: "auth_http_ssl_*",
    verify: values.auth_http_ssl_verify,
    trusted: values.auth_http_trusted_certificate,
    certificate: values.auth_http_ssl_certificate,
    certificateKey: values.auth_http_ssl_certificate_key,
  };
}
