/** nginx's ngx_mail_auth_http_module: where lookups go. */
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
import { type ClientTlsValues, NOTHING_SAID, file } from "../../tls/index.ts";
import { flag, rawWords, time, words } from "../../language/values.ts";

export interface LookupEndpoint {
  readonly https: boolean;
  /** A name or an address, without brackets, or `unix:` and a path. */
  readonly host: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** The `Host` header: the host as it was written, without the port, as nginx sends it; else `localhost`. */
  readonly hostHeader: ByteString;
  /** The request target, verbatim. */
  readonly uri: ByteString;
}

/**
 * `[http://]HOST[:PORT][/URI]` or `[http://]unix:PATH[:URI]`: port 80 and `/` unless given; ours,
 * `https://…`: port 443.
 */
function endpoint(directive: Directive): LookupEndpoint {
  const [given = ""] = rawWords(directive);
  const https = given.startsWith("https://");
  const url = https ? given.slice("https://".length) : given.replace(/^http:\/\//, "");
  const where = `auth_http "${decoded(url)}"`;
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

/** A header for every lookup, often the key that the endpoint asks for. */
function header(directive: Directive): ByteString {
  const [name, value] = rawWords(directive);
  return `${name}: ${value}`;
}

interface Cache {
  /** At most so many answers, in each worker process. */
  readonly entries: number;
}

const ENTRIES = 10_000;
const MOST_ENTRIES = 1_000_000;

/** `off`, `on`, `on entries=N`. */
function cache(directive: Directive): Cache | null {
  const [, parameter] = words(directive);
  const on = flag(directive);
  if (parameter === undefined) return on ? { entries: ENTRIES } : null;
  const [, digits] = /^entries=(\d{1,7})$/.exec(parameter) ?? [];
  const entries = Number(digits);
  if (!on || !(entries >= 1 && entries <= MOST_ENTRIES)) {
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
  /** Ours: `off` is nginx's way, one HTTP/1.0 connection a lookup. */
  auth_http_keepalive: { in: MAIL, args: 1, read: once(flag), default: true },
  /** Ours: answers are kept for as long as their `Cache-Control` says. */
  auth_http_cache: { in: MAIL, args: [1, 2], read: once(cache), default: null as Cache | null },
  /** Ours: `Auth-User` and `Auth-Pass` of replies are escaped as those of requests are; nginx takes them as they are. */
  auth_http_unescape: { in: MAIL, args: 1, read: once(flag), default: false },
} satisfies Rows;

/** Ours: TLS to an `https://` endpoint, with the words of `proxy_ssl_*`. */
export const authHttpSsl = {
  auth_http_ssl_verify: { in: MAIL, args: 1, read: once(flag), default: true },
  auth_http_trusted_certificate: file,
  auth_http_ssl_certificate: file,
  auth_http_ssl_certificate_key: file,
} satisfies Rows;

export function endpointTls(values: Values<typeof authHttpSsl>): ClientTlsValues {
  return {
    ...NOTHING_SAID,
    verify: values.auth_http_ssl_verify,
    trusted: values.auth_http_trusted_certificate,
    certificate: values.auth_http_ssl_certificate,
    certificateKey: values.auth_http_ssl_certificate_key,
  };
}
