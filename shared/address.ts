/** IP addresses and networks of addresses. */
import ipaddr from "ipaddr.js";

export type Ip = ipaddr.IPv4 | ipaddr.IPv6;

/** A network: `192.0.2.0/24`, `2001:db8::/32`, or one address. */
export interface Network {
  readonly address: Ip;
  readonly prefix: number;
}

/** Reads an address as people write them: IPv4 in four decimal parts, or IPv6. An IPv4-mapped one is IPv4. */
export function parseIp(text: string): Ip | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return ipaddr.IPv6.isValid(text) && !text.includes("%") ? ipaddr.process(text) : null;
}

/** An address in the one form that nginx writes; an IPv4-mapped one stays IPv6, as `::ffff:192.0.2.1`. */
export function canonicalIp(text: string): string | null {
  if (parseIp(text) === null) return null;
  const ip = ipaddr.parse(text);
  return ip instanceof ipaddr.IPv6 && ip.isIPv4MappedAddress()
    ? `::ffff:${ip.toIPv4Address().toString()}`
    : ip.toString();
}

/** @returns null for what is neither an address nor a network */
export function parseNetwork(text: string): Network | null {
  const [host = "", digits, ...more] = text.split("/");
  const address = parseIp(host);
  if (address === null || more.length > 0) return null;
  const bits = address.kind() === "ipv4" ? 32 : 128;
  const prefix = digits === undefined ? bits : /^\d{1,3}$/.test(digits) ? Number(digits) : -1;
  return prefix < 0 || prefix > bits ? null : { address, prefix };
}

/** Whether the address has no bit set behind the network's prefix. */
export function isNetworkAddress({ address, prefix }: Network): boolean {
  return masked(address, prefix).toString() === address.toString();
}

export function contains({ address, prefix }: Network, ip: Ip): boolean {
  return ip.kind() === address.kind() && ip.match(address, prefix);
}

/** Whether a host to listen on stands for all addresses of its family (RFC 4291 section 2.5.2). */
export function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** The path of a host that is a unix socket (`unix:/run/mail.sock`), empty for a client of one; else null. */
export function unixPath(host: string): string | null {
  return host.startsWith("unix:") ? host.slice("unix:".length) : null;
}

/** `192.0.2.1:143`, `[2001:db8::1]:143`, `mail.example:143`, `unix:/run/mail.sock`. */
export function formatAddress({ host, port }: { host: string; port: number }): string {
  if (unixPath(host) !== null) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A network in its canonical form, the host's bits zero: `192.0.2.0/24`, `2001:db8::/32`. */
export function formatNetwork({ address, prefix }: Network): string {
  return `${masked(address, prefix).toString()}/${prefix}`;
}

/** Every network that holds an address, the longest prefix first, in canonical form. */
export function networksOf(ip: Ip): readonly string[] {
  const bits = ip.kind() === "ipv4" ? 32 : 128;
  return Array.from({ length: bits + 1 }, (_, index) =>
    formatNetwork({ address: ip, prefix: bits - index }),
  );
}

/**
 * The network that stands for a client: its address, or the IPv6 /64 within which it may choose addresses as
 * it likes (RFC 4291 section 2.5.1).
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
