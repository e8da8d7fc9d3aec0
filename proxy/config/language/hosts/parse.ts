/** Reads hosts and ports as nginx's ngx_parse_url does, with its errors. */
import { parseIp } from "../../../../shared/address.ts";
import type { Directive } from "../directive.ts";
import { ConfigError } from "../error.ts";

/** Makes the error for a mistake in a directive's address. */
export type Refuse = (what: string) => ConfigError;

/** @param where the address stands, in nginx's words: `resolver "ns.example"` */
export function refuseIn(where: string, directive: Directive): Refuse {
  return (what) => new ConfigError(`${what} in ${where}`, directive);
}

/** Bytes of a unix socket's path (unix(7)). */
const MAX_PATH = 107;

export function isUnix(text: string): boolean {
  return /^unix:/i.test(text);
}

/** @returns `unix:` and the path */
export function unixHost(path: string, refuse: Refuse): string {
  if (path === "") throw refuse("no path in the unix domain socket");
  if (Buffer.byteLength(path) > MAX_PATH) {
    throw refuse("too long path in the unix domain socket");
  }
  return `unix:${path}`;
}

/** Splits `HOST`, `HOST:PORT` or `[IPV6]:PORT`. The host keeps its brackets; the port may be null. */
export function splitHost(
  text: string,
  refuse: Refuse,
): readonly [host: string, port: string | null] {
  const [, host, colon, port] = /^(\[[^\]]*\]|(?!\[)[^:]*)(?:(:)(.*))?$/s.exec(text) ?? [];
  if (host === undefined) throw refuse("invalid host");
  return [host, colon === undefined ? null : (port ?? "")];
}

/** @returns a name, or an address without brackets in the form in which the system writes it */
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
 * Reads `HOST[:PORT]`, and remembers a name to be looked up.
 *
 * @param where as for `refuseIn`
 */
export function hostAndPort(
  text: string,
  defaultPort: string,
  where: string,
  directive: Directive,
): { readonly host: string; readonly port: number } {
  const refuse = refuseIn(where, directive);
  if (/[/?]/.test(text)) throw refuse("invalid host");
  const [written, digits] = splitHost(text, refuse);
  const port = checkPort(digits ?? defaultPort, refuse);
  const host = checkHost(written, refuse);
  directive.diagnostics.lookUp(host, `host not found in ${where}`, directive);
  return { host, port };
}
