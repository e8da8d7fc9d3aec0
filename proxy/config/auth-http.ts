/** nginx's ngx_mail_auth_http_module: where lookups go. */
import type { ByteString } from "../../shared/lookup.ts";
import { decoded } from "./bytes.ts";
import { MAIL, type Rows, eachOf, lastOf, once } from "./directive.ts";
import { ConfigError } from "./error.ts";
import type { Directive } from "./parser.ts";
import { pemFile } from "./ssl.ts";
import { parseUrl } from "./url.ts";
import { flag, rawWords, time } from "./values.ts";

export interface LookupEndpoint {
  readonly https: boolean;
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** The `Host` header: the host as it was written, without the port, as nginx sends it. */
  readonly hostHeader: ByteString;
  /** The request target, verbatim. */
  readonly uri: ByteString;
}

/** `[http://]HOST[:PORT][/URI]`: port 80 and `/` unless given; ours, `https://…`: port 443. */
function endpoint(directive: Directive): LookupEndpoint {
  const [given = ""] = rawWords(directive);
  const https = given.startsWith("https://");
  const url = https ? given.slice("https://".length) : given.replace(/^http:\/\//, "");
  const where = `auth_http "${decoded(url)}"`;
  const found = parseUrl(url, { where, port: https ? 443 : 80, uri: true }, directive);
  if ("unix" in found) throw new ConfigError(`unix: is not there yet in ${where}`, directive);
  const { host, written, port, uri } = found;
  return { https, host, port, hostHeader: written, uri: uri === "" ? "/" : uri };
}

/** A header for every lookup, often the key that the endpoint asks for. */
function header(directive: Directive): ByteString {
  const [name, value] = rawWords(directive);
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
    default: [] as readonly ByteString[],
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
