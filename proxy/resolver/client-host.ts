/** Finds the name of an SMTP client as nginx does, for lookups and upstreams: a name that resolves to the client. */
import { parseIp } from "../../shared/address.ts";
import { NXDOMAIN, ResolveError } from "./resolve-error.ts";
import type { ResolveOptions, Resolver } from "./resolver.ts";
import { quoted } from "../quoted.ts";

/** nginx's words for a client without such a name, and for a name that could not be resolved. */
export const UNAVAILABLE = "[UNAVAILABLE]";
const TEMPUNAVAIL = "[TEMPUNAVAIL]";

/** The subject that is resolved, in nginx's words. */
type Resolving = "address" | "hostname";

/** Other characters could have a meaning in a header or a command. */
const HOST_NAME = /^[A-Za-z0-9.-]+$/;

/**
 * @param address of the client. A client without an IP address, as one of a unix socket, has no name.
 * @param options for each of the two lookups
 * @param failed hears the messages that nginx logs as errors
 * @returns a host name, or one of the two words
 * @throws the signal's reason once it aborts
 */
export async function clientHost(
  resolver: Resolver,
  address: string,
  options: ResolveOptions,
  failed: (message: string, resolving: Resolving) => void,
): Promise<string> {
  const ip = parseIp(address);
  if (ip === null) return TEMPUNAVAIL;
  let [resolving, subject]: [Resolving, string] = ["address", address];
  try {
    const name = await resolver.reverse(ip, options);
    if (!HOST_NAME.test(name)) {
      failed(`${address} resolved to invalid host name ${quoted(name)}`, resolving);
      return TEMPUNAVAIL;
    }
    [resolving, subject] = ["hostname", `"${name}"`];
    const addresses = await resolver.forward(name, options);
    return addresses.includes(ip.toString()) ? name : UNAVAILABLE;
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error;
    failed(`${subject} could not be resolved (${error.message})`, resolving);
    return error.code === NXDOMAIN ? UNAVAILABLE : TEMPUNAVAIL;
  }
}
