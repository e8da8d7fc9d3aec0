/** Hosts and ports as nginx reads them in any directive (ngx_parse_url), with its words for what is wrong. */
import { parseIp } from "../../../shared/address.ts";
import { ConfigError } from "./error.ts";
import type { Directive } from "./directive.ts";

/** Makes nginx's sentence out of what is wrong with a directive's address. */
export type Refuse = (what: string) => ConfigError;

/** @param where the address stands, in nginx's words: `resolver "ns.example"` */
export function refusing(where: string, directive: Directive): Refuse {
  return (what) => new ConfigError(`${what} in ${where}`, directive);
}

/** Bytes of a unix socket's path (unix(7)). */
const LONGEST_PATH = 107;

export function isUnix(text: string): boolean {
  return /^unix:/i.test(text);
}

/** @returns a host that `unixPath` knows for what it is */
export function unixHost(path: string, refuse: Refuse): string {
  if (path === "") throw refuse("no path in the unix domain socket");
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw refuse("too long path in the unix domain socket");
  }
  return `unix:${path}`;
}

/** `HOST`, `HOST:PORT`, `[IPV6]:PORT`: the host as it was written, and the port, or null. */
export function splitHost(
  text: string,
  refuse: Refuse,
): readonly [host: string, port: string | null] {
  const [, host, colon, port] = /^(\[[^\]]*\]|(?!\[)[^:]*)(?:(:)(.*))?$/s.exec(text) ?? [];
  if (host === undefined) throw refuse("invalid host");
  return [host, colon === undefined ? null : (port ?? "")];
}

/** @returns an address in the form in which the system writes it, without brackets, or a name */
export function checkHost(host: string, refuse: Refuse): string {
  if (host === "" || host === "[]") throw refuse("no host");
  if (!host.startsWith("[")) return parseIp(host)?.toString() ?? host;
  const address = host.slice(1, -1);
  const ip = address.includes(":") ? parseIp(address) : null;
  if (ip === null) throw refuse("invalid IPv6 address");
  return ip.kind() === "ipv4" ? `::ffff:${ip.toString()}` : ip.toString();
}

export function checkPort(digits: string, refuse: Refuse): number {
  const port = Number(digits);
  if (!/^\d+$/.test(digits) || port < 1 || port > 65_535) throw refuse("invalid port");
  return port;
}

/**
 * `HOST[:PORT]`, and nothing behind it. A name is to be looked up.
 *
 * @param where as for `refusing`
 */
export function hostAndPort(
  text: string,
  defaultPort: string,
  where: string,
  directive: Directive,
): { readonly host: string; readonly port: number } {
  const refuse = refusing(where, directive);
  if (/[/?]/.test(text)) throw refuse("invalid host");
  const [written, digits] = splitHost(text, refuse);
  const port = checkPort(digits ?? defaultPort, refuse);
  const host = checkHost(written, refuse);
  directive.diagnostics.lookUp(host, `host not found in ${where}`, directive);
  return { host, port };
}
