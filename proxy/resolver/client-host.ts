/** The name of an SMTP client, as nginx tells it to lookups and upstreams: one that leads back to its address. */
import { parseIp } from "../../shared/address.ts";
import { NXDOMAIN, ResolveError } from "./resolve-error.ts";
import type { ResolveOptions, Resolver } from "./resolver.ts";

/** nginx's words for a client that has no such name, and for one of which it cannot be told now. */
export const UNAVAILABLE = "[UNAVAILABLE]";
const TEMPUNAVAIL = "[TEMPUNAVAIL]";

/** What is being resolved, in nginx's words. */
type Resolving = "address" | "hostname";

/** Others would be read as something else by those who are told the name. */
const HOST_NAME = /^[A-Za-z0-9.-]+$/;

/**
 * @param address the client's; one that is no IP address, as of a Unix socket, has no name
 * @param patience for each of the two lookups
 * @param failed hears of what nginx logs as errors
 * @returns a host name, or one of the two words
 * @throws the signal's reason once it gives up
 */
export async function clientHost(
  resolver: Resolver,
  address: string,
  patience: ResolveOptions,
  failed: (message: string, resolving: Resolving) => void,
): Promise<string> {
  const ip = parseIp(address);
  if (ip === null) return TEMPUNAVAIL;
  let [resolving, subject]: [Resolving, string] = ["address", address];
  try {
    const name = await resolver.reverse(ip, patience);
    if (!HOST_NAME.test(name)) {
      failed(`${address} resolved to invalid host name "${name}"`, resolving);
      return TEMPUNAVAIL;
    }
    [resolving, subject] = ["hostname", `"${name}"`];
    const addresses = await resolver.forward(name, patience);
    return addresses.includes(ip.toString()) ? name : UNAVAILABLE;
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error;
    failed(`${subject} could not be resolved (${error.message})`, resolving);
    return error.code === NXDOMAIN ? UNAVAILABLE : TEMPUNAVAIL;
  }
}
