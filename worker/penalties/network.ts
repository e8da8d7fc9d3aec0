import { type Ip, formatNetwork } from "../../shared/address.ts";

/**
 * The network that stands for a client: its address, or the IPv6 /64 within which it may choose
 * addresses as it likes (RFC 4291 section 2.5.1).
 */
export function clientNetwork(ip: Ip): string {
  return formatNetwork({ address: ip, prefix: ip.kind() === "ipv4" ? 32 : 64 });
}
