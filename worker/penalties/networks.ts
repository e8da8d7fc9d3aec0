/**
 * The networks of a client whose failures are counted.
 *
 * A subscriber of IPv6 gets a /64, a /56 or a /48 (RFC 6177), and chooses addresses in it at will. So the narrowest
 * network is the /64, and the wider ones have limits of their own. The wider network of an IPv4 address is its /24, the
 * narrowest that the internet routes.
 */
import { formatNetwork, type Ip } from "../../shared/address.ts";
import type { ClientPrefix, PenaltyLimits } from "./limits.ts";

const PREFIXES: Readonly<Record<ReturnType<Ip["kind"]>, readonly ClientPrefix[]>> = {
  ipv4: [32, 24],
  ipv6: [64, 56, 48],
};

/** @returns the client's networks in canonical form, the narrowest first; none for a client without an address */
export function clientNetworks(client: Ip | null): readonly string[] {
  if (client === null) return [];
  return PREFIXES[client.kind()].map((prefix) => formatNetwork({ address: client, prefix }));
}

/** The failures that a network of `clientNetworks` permits. */
export function permittedIn(network: string, { networks }: PenaltyLimits): number {
  const permitted: Readonly<Record<string, number>> = networks;
  return permitted[network.slice(network.indexOf("/") + 1)] ?? Number.POSITIVE_INFINITY;
}
