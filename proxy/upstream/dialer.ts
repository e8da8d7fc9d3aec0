/** Dialling one mail server: directly, or through an outbound proxy. */
import { isIp, unixPath } from "../../shared/address.ts";
import { TIMED_OUT } from "../reason.ts";
import { type HostResolver, ResolveError } from "../resolver/index.ts";
import type { Address, Dial } from "../transport/index.ts";

export interface Dialer {
  readonly dial: Dial;
  /** The addresses to dial for a server; null where `resolve` must find them. */
  addresses(server: Address): readonly Address[] | null;
  /** @throws Error in nginx's words where the server has no address; the signal's reason */
  resolve(server: Address, signal: AbortSignal): Promise<readonly Address[]>;
  /** The error of a dial that took too long. */
  timedOut(): Error;
}

/** Dials the server itself. */
export function direct(dial: Dial, resolver: HostResolver): Dialer {
  return {
    dial,
    addresses: (server) => (isIp(server.host) || unixPath(server.host) !== null ? [server] : null),
    resolve: async ({ host, port }, signal) => {
      const found = await resolve(host, resolver, signal);
      return interleaved(found).map((address) => ({ host: address, port }));
    },
    timedOut: () => new Error(TIMED_OUT),
  };
}

/**
 * Dials through a proxy, which resolves the name: the server is its own and only address.
 *
 * @param timedOut names the proxy
 */
export function proxied(dial: Dial, timedOut: () => Error): Dialer {
  return {
    dial,
    addresses: (server) => [server],
    resolve: (server) => Promise.resolve([server]),
    timedOut,
  };
}

async function resolve(
  host: string,
  resolver: HostResolver,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return await resolver.addresses(host, signal);
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error;
    throw new Error(`${host} could not be resolved (${error.message})`, { cause: error });
  }
}

/** IPv6 first, then by turns (RFC 8305 section 4), so that a broken family costs one attempt. */
export function interleaved(addresses: readonly string[]): readonly string[] {
  const six = addresses.filter((address) => address.includes(":"));
  const four = addresses.filter((address) => !address.includes(":"));
  const turns = Math.max(six.length, four.length);
  return Array.from({ length: turns }, (_, turn) => [six[turn], four[turn]])
    .flat()
    .filter((address) => address !== undefined);
}
