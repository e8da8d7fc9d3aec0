/** How connections to mail servers are opened. */
import { parseIp, unixPath } from "../../shared/address.ts";
import { type HostResolver, ResolveError } from "../resolver/index.ts";
import type { Address, Dials } from "../transport/index.ts";
import { type Dial, type Dialled, type Failed, dialFirst, interleaved } from "./happy-eyeballs.ts";

export interface Dialer {
  /**
   * What can be dialled for a server: its addresses, or itself where somebody else looks up the name.
   *
   * @throws Error where it has no address; the signal's reason once it gives up
   */
  addresses(server: Address, signal: AbortSignal): Promise<readonly Address[]>;
  /**
   * Connects to the first of a server's addresses that answers. The connection may be paused, holding bytes
   * that have arrived already: whoever receives resumes it.
   *
   * @param failed hears of each that has not, also where the signal gave up meanwhile
   * @throws Error where none does; the signal's reason once it gives up
   */
  connect(to: readonly Address[], signal: AbortSignal, failed: Failed): Promise<Dialled>;
}

/** Straight to the server. */
export function direct(transport: Dials, names: HostResolver): Dialer {
  return {
    addresses: async (server, signal) => {
      const { host, port } = server;
      if (parseIp(host) !== null || unixPath(host) !== null) return [server];
      const found = await addressesOf(host, names, signal);
      return interleaved(found).map((address) => ({ host: address, port }));
    },
    connect: (to, signal, failed) =>
      dialFirst(to, (address, given) => transport.dial(address, given), signal, failed),
  };
}

/** Through a proxy, which looks up the name: to us a server is its own and only address. */
export function proxied(dial: Dial): Dialer {
  return {
    addresses: (server) => Promise.resolve([server]),
    connect: (to, signal, failed) => dialFirst(to, dial, signal, failed),
  };
}

/** @throws Error in nginx's words */
async function addressesOf(
  host: string,
  names: HostResolver,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return await names.addresses(host, signal);
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error;
    throw new Error(`${host} could not be resolved (${error.message})`, { cause: error });
  }
}
