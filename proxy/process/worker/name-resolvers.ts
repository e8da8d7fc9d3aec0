/** The resolvers of names that a server needs, from its directives. */
import type { ServerSettings } from "../../config/index.ts";
import {
  type HostResolver,
  type Resolver,
  type Resolvers,
  configuredResolver,
} from "../../resolver/index.ts";

/** Null where no name of a client is needed: only SMTP passes it on. */
export function nameResolver(
  { protocol, resolver }: ServerSettings,
  all: Resolvers,
): Resolver | null {
  return protocol === "smtp" && resolver !== null ? all.get(resolver) : null;
}

/** Null for the system's resolver. */
export function upstreamNames(
  { resolver, resolver_timeout }: ServerSettings,
  all: Resolvers,
): HostResolver | null {
  return resolver === null ? null : configuredResolver(all.get(resolver), resolver_timeout);
}
