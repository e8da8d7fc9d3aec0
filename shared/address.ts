/** IP addresses and networks of addresses. */
import ipaddr from "ipaddr.js";

export type Ip = ipaddr.IPv4 | ipaddr.IPv6;

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. */
export interface Network {
  readonly address: Ip;
  readonly prefix: number;
}

/** Four decimal parts without leading zeros. */
const FOUR_PARTS =
  /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** True where `parseIp` reads an address. A session asks twice, so an IPv4 address costs one match. */
export function isIp(text: string): boolean {
  return FOUR_PARTS.test(text) || parseIp(text) !== null;
}

/** Reads IPv4 in four decimal parts, or IPv6. An IPv4-mapped address becomes IPv4. */
export function parseIp(text: string): Ip | null {
  if (FOUR_PARTS.test(text)) return ipaddr.IPv4.parse(text);
  return ipaddr.IPv6.isValid(text) && !text.includes("%") ? ipaddr.process(text) : null;
}

/** Formats an address as nginx does. An IPv4-mapped address stays IPv6, as `::ffff:192.0.2.1`. */
export function canonicalIp(text: string): string | null {
  if (parseIp(text) === null) return null;
  const ip = ipaddr.parse(text);
  return ip instanceof ipaddr.IPv6 && ip.isIPv4MappedAddress()
    ? `::ffff:${ip.toIPv4Address().toString()}`
    : ip.toString();
}

/** @returns null if the text is neither an address nor a network */
export function parseNetwork(text: string): Network | null {
  const [host = "", digits, ...more] = text.split("/");
  const address = parseIp(host);
  if (address === null || more.length > 0) return null;
  const bits = address.kind() === "ipv4" ? 32 : 128;
  const prefix = digits === undefined ? bits : /^\d{1,3}$/.test(digits) ? Number(digits) : -1;
  return prefix < 0 || prefix > bits ? null : { address, prefix };
}

/** True if the address has no bit set after the network's prefix. */
export function isNetworkAddress({ address, prefix }: Network): boolean {
  return masked(address, prefix).toString() === address.toString();
}

export function contains({ address, prefix }: Network, ip: Ip): boolean {
  return ip.kind() === address.kind() && ip.match(address, prefix);
}

/** True if the host means all addresses of its family (RFC 4291 section 2.5.2). */
export function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** True for a name that stands for loopback, and is asked of no name server (RFC 6761 section 6.3). */
export function isLocalhost(name: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(name);
}

/** The path in `unix:/run/mail.sock`, empty for a client of a unix socket; null for other hosts. */
export function unixPath(host: string): string | null {
  return host.startsWith("unix:") ? host.slice("unix:".length) : null;
}

/** `192.0.2.1:143`, `[2001:db8::1]:143`, `mail.example:143`, `unix:/run/mail.sock`. */
export function formatAddress({ host, port }: { host: string; port: number }): string {
  if (unixPath(host) !== null) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A network in canonical form, with the host's bits zero: `192.0.2.0/24`, `2001:db8::/32`. */
export function formatNetwork({ address, prefix }: Network): string {
  return `${masked(address, prefix).toString()}/${prefix}`;
}

/** All networks that contain an address, the longest prefix first, in canonical form. */
export function networksOf(ip: Ip): readonly string[] {
  const bits = ip.kind() === "ipv4" ? 32 : 128;
  return Array.from({ length: bits + 1 }, (_, index) =>
    formatNetwork({ address: ip, prefix: bits - index }),
  );
}

/**
 * The network of a client: its IPv4 address, or its IPv6 /64, since a client may choose any address in its /64
 * (RFC 4291 section 2.5.1).
 */
export function clientNetwork(ip: Ip): string {
  return formatNetwork({ address: ip, prefix: ip.kind() === "ipv4" ? 32 : 64 });
}

function masked(ip: Ip, prefix: number): Ip {
  const bytes = ip.toByteArray().map((byte, index) => {
    const kept = Math.min(Math.max(prefix - index * 8, 0), 8);
    return byte & (0xff << (8 - kept)) & 0xff;
  });
  return ipaddr.fromByteArray(bytes);
}
