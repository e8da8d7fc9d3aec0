/** Ours: outbound proxies to upstreams and lookup endpoints, for networks without direct access. */
import { canonicalName, isHostPattern, splitPatterns } from "../../../../shared/host-pattern.ts";
import { parseIp } from "../../../../shared/address.ts";
import { type ByteString, unescapeBytes } from "../../../../shared/lookup.ts";
import { decoded } from "../../../bytes.ts";
import { MAIL, MANY, type Rows, allOf, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { fullName, readSecretFile } from "../../language/files.ts";
import { type Refuse, checkHost, checkPort, splitHost } from "../../language/hosts/parse.ts";
import type { Directive } from "../../language/directive.ts";
import { type Paths, rawWords, words } from "../../language/values.ts";

export interface OutboundProxy {
  /** `http` and `https` stand for CONNECT, in the clear and under TLS. */
  readonly scheme: "http" | "https" | "socks5";
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Null for none. */
  readonly credentials: ProxyCredentials | null;
}

export interface ProxyCredentials {
  readonly user: ByteString;
  readonly password: ByteString;
}

/** The routes from a server to its upstreams. */
export interface OutboundRoutes {
  /** The proxy to upstreams in the clear or with STARTTLS; null for none. */
  readonly clear: OutboundProxy | null;
  /** The proxy to upstreams under TLS from the first byte; null for none. */
  readonly tls: OutboundProxy | null;
  /** Patterns of upstreams that are reached directly. */
  readonly bypass: readonly string[];
}

/** The default ports of proxies. In curl's `socks5h` the proxy resolves names, which Postern always leaves to it. */
const SCHEMES: ReadonlyMap<string, Pick<OutboundProxy, "scheme" | "port">> = new Map([
  ["http", { scheme: "http", port: 80 }],
  ["https", { scheme: "https", port: 443 }],
  ["socks5", { scheme: "socks5", port: 1080 }],
  ["socks5h", { scheme: "socks5", port: 1080 }],
]);

const FILE = "credentials=";

/** Reads `off`, or `SCHEME://[USER[:PASSWORD]@]HOST[:PORT] [credentials=FILE]`. */
function proxy(directive: Directive, paths: Paths): OutboundProxy | "off" {
  const [url = "", parameter] = rawWords(directive);
  if (url === "off" && parameter === undefined) return "off";
  const shown = `${directive.name} "${shownUrl(decoded(url))}"`;
  const advice = `"${directive.name}" takes off, or http://, https:// or socks5:// with [USER:PASSWORD@]HOST[:PORT]`;
  const refuse: Refuse = (what) => new ConfigError(`${what} in ${shown}`, directive, advice);
  // oxlint-disable-next-line no-control-regex -- no URL contains these
  if (/[\x00-\x20"\\\x7f]/.test(url)) throw refuse("a character that needs percent-encoding");
  const [, name = "", userInfo, authority = ""] =
    /^([^:]*):\/\/(?:(.*)@)?([^@/]*)\/?$/s.exec(url) ?? [];
  const known = SCHEMES.get(name.toLowerCase());
  if (known === undefined) throw refuse("invalid URL");
  const [written, digits] = splitHost(decoded(authority), refuse);
  const host = checkName(checkHost(written, refuse), refuse);
  const port = digits === null ? known.port : checkPort(digits, refuse);
  const credentials = credentialsOf(userInfo, parameter, directive, paths, refuse);
  if (credentials !== null) checkCredentials(known.scheme, credentials, refuse);
  return { scheme: known.scheme, host, port, credentials };
}

/** Hides the user information of a URL, and in a misspelt one all that may be part of it. */
function shownUrl(url: string): string {
  if (url.includes("@")) return url.replace(/^(\w+:\/\/)?.*@/s, "$1***@");
  return url.replace(/((?<!\[[^\]]*):(?!\/\/|\d{1,5}\/?$)|=).*/s, "$1***");
}

function credentialsOf(
  userInfo: ByteString | undefined,
  parameter: ByteString | undefined,
  directive: Directive,
  paths: Paths,
  refuse: Refuse,
): ProxyCredentials | null {
  if (parameter === undefined) return userInfo === undefined ? null : inUrl(userInfo, refuse);
  if (!parameter.startsWith(FILE)) {
    // The error does not quote the parameter, which may be the password itself.
    const what = `invalid parameter in "${directive.name}" directive`;
    throw new ConfigError(what, directive, `"${directive.name}" takes ${FILE}FILE behind the URL`);
  }
  if (userInfo !== undefined) throw refuse("credentials both in the URL and in a file");
  const path = fullName(paths.configuration, decoded(parameter.slice(FILE.length)));
  const [, user, password] =
    /^([^:\r\n]*):([^\r\n]*)\s*$/.exec(readSecretFile(path, FILE, directive).toString("latin1")) ??
    [];
  if (user === undefined || password === undefined) {
    throw new ConfigError(`"${path}" must hold one line, USER:PASSWORD,`, directive);
  }
  return { user, password };
}

function inUrl(userInfo: ByteString, refuse: Refuse): ProxyCredentials {
  const [, user = "", password = ""] = /^([^:]*):?(.*)$/s.exec(userInfo) ?? [];
  try {
    return { user: unescapeBytes(user), password: unescapeBytes(password) };
  } catch {
    throw refuse('a "%" without two hexadecimal digits');
  }
}

/** Most bytes of a user name and of a password in SOCKS5 (RFC 1929 section 2). */
const MAX_SOCKS = 255;

/** @throws an error of `refuse` for credentials that the proxy's protocol cannot carry */
export function checkCredentials(
  scheme: OutboundProxy["scheme"],
  { user, password }: ProxyCredentials,
  refuse: Refuse,
): void {
  if (scheme === "socks5") {
    for (const { length } of [user, password]) {
      if (length < 1 || length > MAX_SOCKS) {
        throw refuse(`a user name or password that is not 1 to ${MAX_SOCKS} bytes long`);
      }
    }
  } else if (user.includes(":")) throw refuse('a user name with a ":" (RFC 7617)');
}

/** @param host from `checkHost` */
export function checkName(host: string, refuse: Refuse): string {
  const name = parseIp(host) === null ? canonicalName(host) : host;
  if (name === null) throw refuse("invalid host");
  return name;
}

/** Reads patterns, each a word of its own or with `|` between them. */
function patterns(directive: Directive): readonly string[] {
  const all = words(directive).flatMap(splitPatterns);
  const wrong = all.find((pattern) => !isHostPattern(pattern));
  if (wrong === undefined) return all;
  throw new ConfigError(`invalid pattern "${wrong}" in "${directive.name}" directive`, directive);
}

export const outboundProxy = {
  outbound_proxy: {
    in: MAIL,
    args: [1, 2],
    read: once(proxy),
    default: null as OutboundProxy | "off" | null,
  },
  outbound_proxy_bypass: {
    in: MAIL,
    args: MANY,
    read: allOf(patterns),
    default: null as readonly string[] | null,
  },
  /** The proxy to lookup endpoints. It is a directive of its own, since most endpoints are on loopback. */
  auth_http_proxy: {
    in: MAIL,
    args: [1, 2],
    read: once((directive, paths) => {
      const one = proxy(directive, paths);
      return one === "off" ? null : one;
    }),
    default: null as OutboundProxy | null,
  },
} satisfies Rows;

/**
 * Joins the file with Java's properties. A directive of the file overrides them, as it is more specific.
 *
 * @param java the properties of the server's protocol
 */
export function outboundRoutes(
  given: {
    readonly outbound_proxy: OutboundProxy | "off" | null;
    readonly outbound_proxy_bypass: readonly string[] | null;
  },
  java: OutboundRoutes,
): OutboundRoutes {
  const bypass = given.outbound_proxy_bypass ?? java.bypass;
  if (given.outbound_proxy === null) return { ...java, bypass };
  const one = given.outbound_proxy === "off" ? null : given.outbound_proxy;
  return { clear: one, tls: one, bypass };
}
