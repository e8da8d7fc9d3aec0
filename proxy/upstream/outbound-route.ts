/** The route to a mail server: through the outbound proxy, or directly where the operator says so. */
import { isIp, unixPath } from "../../shared/address.ts";
import { HostPatterns } from "../../shared/host-pattern.ts";
import type { Dialer } from "./dialer.ts";
import type { LocalAddresses } from "./local-addresses.ts";

/** Finds a server's dialer by the server's host. */
export type OutboundRoute = (host: string) => Dialer | Promise<Dialer>;

/**
 * @param bypass patterns of hosts that are reached directly
 * @param local the addresses of names, for patterns about addresses
 */
export function throughProxy(
  bypass: readonly string[],
  direct: Dialer,
  proxied: Dialer,
  local: LocalAddresses,
): OutboundRoute {
  const patterns = new HostPatterns(bypass);
  return (host) => {
    if (unixPath(host) !== null || patterns.match(host)) return direct;
    if (!patterns.wantAddresses || isIp(host)) return proxied;
    return local.of(host).then((addresses) => (patterns.match(host, addresses) ? direct : proxied));
  };
}
