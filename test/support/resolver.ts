// Resolvers that ask name servers of a test's own.
import type { ResolverSettings } from "../../proxy/config/index.ts";
import { type ResolverTiming, Resolver } from "../../proxy/resolver/resolver.ts";
import { transport } from "./connections.ts";
import type { NameServer } from "./name-server.ts";

/** One that waits for its first server for ever, unless `pace` says otherwise. */
export function resolverOf(
  servers: readonly Pick<NameServer, "host" | "port">[],
  settings: Partial<ResolverSettings> = {},
  pace: Partial<ResolverTiming> = {},
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
    { repeat: Number.POSITIVE_INFINITY, clock: performance, ...pace },
  );
}

/** Waits for as long as it takes, unless told otherwise. */
export function patience(timeout = 0, signal = new AbortController().signal) {
  return { timeout, signal };
}
