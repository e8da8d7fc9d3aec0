/** Addresses as nginx's ngx_parse_url takes them: `HOST[:PORT][/URI]`, `unix:PATH[:URI]`. */
import { parseIp } from "../../shared/address.ts";
import { ConfigError } from "./error.ts";
import type { Directive } from "./parser.ts";

export interface Inet {
  /** A name or an address, without brackets. */
  readonly host: string;
  /** The host as it was written. */
  readonly written: string;
  readonly port: number;
  /** What follows, verbatim; empty where nothing does. */
  readonly uri: string;
}

export interface Unix {
  readonly unix: string;
  readonly uri: string;
}

/** What is particular to a directive. */
interface Manner {
  /** The end of nginx's messages, such as `auth_http "mail.example"`. */
  readonly where: string;
  /** Where none is written. */
  readonly port: number;
  /** Whether a URI may follow. */
  readonly uri: boolean;
}

/** @throws ConfigError in nginx's words */
export function parseUrl(url: string, manner: Manner, directive: Directive): Inet | Unix {
  return url.startsWith("unix:")
    ? parseUnix(url.slice("unix:".length), manner, directive)
    : parseInet(url, manner, directive);
}

function parseUnix(rest: string, manner: Manner, directive: Directive): Unix {
  const colon = manner.uri ? rest.indexOf(":") : -1;
  const unix = colon === -1 ? rest : rest.slice(0, colon);
  if (unix === "") throw wrong("no path in the unix domain socket", manner, directive);
  if (Buffer.byteLength(unix) > LONGEST_PATH) {
    throw wrong("too long path in the unix domain socket", manner, directive);
  }
  return { unix, uri: colon === -1 ? "" : rest.slice(colon + 1) };
}

/** Bytes of a path that Linux's sockaddr_un has room for, with the NUL behind it. */
const LONGEST_PATH = 107;

function parseInet(url: string, manner: Manner, directive: Directive): Inet {
  const [, authority = "", uri = ""] = /^([^/?]*)(.*)$/s.exec(url) ?? [];
  const bracketed = url.startsWith("[");
  const form = bracketed ? /^(\[[^\]]*\])(?::(.*))?$/s : /^([^:]*)(?::(.*))?$/s;
  const parts = form.exec(authority);
  if (parts === null || (uri !== "" && !manner.uri)) throw wrong("invalid host", manner, directive);
  const [, written = "", digits = String(manner.port)] = parts;
  const port = /^\d+$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535) throw wrong("invalid port", manner, directive);
  const host = bracketed ? written.slice(1, -1) : written;
  if (host === "") throw wrong("no host", manner, directive);
  const ip = parseIp(host);
  if (bracketed && (ip === null || !host.includes(":"))) {
    throw wrong("invalid IPv6 address", manner, directive);
  }
  if (ip === null) {
    directive.findings.lookUp(host, `host not found in ${manner.where}`, directive);
  }
  return { host, written, port, uri };
}

function wrong(what: string, { where }: Manner, directive: Directive): ConfigError {
  return new ConfigError(`${what} in ${where}`, directive);
}
