/** Which way to an upstream: through the proxy, or directly where the operator says so. */
import { parseIp, unixPath } from "../../shared/address.ts";
import { HostPatterns } from "../../shared/host-pattern.ts";
import type { Dialer } from "./dialer.ts";
import type { LocalAddresses } from "./local-addresses.ts";

/** Finds who dials a server, by its host. */
export type Way = (host: string) => Promise<Dialer>;

/** The same for everybody. */
export function always(dialer: Dialer): Way {
  return () => Promise.resolve(dialer);
}

/**
 * @param bypass patterns of hosts that are reached directly
 * @param local the addresses of names, for patterns that are about addresses
 */
export function outbound(
  bypass: readonly string[],
  direct: Dialer,
  proxied: Dialer,
  local: LocalAddresses,
): Way {
  const patterns = new HostPatterns(bypass);
  const isNear = async (host: string): Promise<boolean> => {
    if (unixPath(host) !== null || patterns.match(host)) return true;
    if (!patterns.wantAddresses || parseIp(host) !== null) return false;
    return patterns.match(host, await local.of(host));
  };
  return async (host) => ((await isNear(host)) ? direct : proxied);
}
