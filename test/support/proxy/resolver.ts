// Resolvers that ask the name servers of a test.
import type { ResolverSettings } from "../../../proxy/config/index.ts";
import { type ResolverTiming, Resolver } from "../../../proxy/resolver/resolver.ts";
import { transport } from "../transport/connections.ts";
import type { NameServer } from "../peers/name-server.ts";

/** A resolver that asks its first server only, unless `timing` says otherwise. */
export function resolverOf(
  servers: readonly Pick<NameServer, "host" | "port">[],
  settings: Partial<ResolverSettings> = {},
  timing: Partial<ResolverTiming> = {},
): Resolver {
  return new Resolver(
    transport,
    {
      servers,
      valid: 0,
      ipv4: true,
      ipv6: false,
      ...settings,
    },
    { repeat: Number.POSITIVE_INFINITY, clock: performance, ...timing },
  );
}

/** The options of a lookup, without a time limit unless one is given. */
export function options(timeout = 0, signal = new AbortController().signal) {
  return { timeout, signal };
}
