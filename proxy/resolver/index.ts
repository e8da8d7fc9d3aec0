/** Resolves names to addresses, and addresses to names. */
export { UNAVAILABLE, clientHost } from "./client-host.ts";
export { ResolveError } from "./resolve-error.ts";
export { type HostResolver, SystemResolver, configuredResolver } from "./host-resolver.ts";
export type { Resolver } from "./resolver.ts";
export { Resolvers } from "./resolvers.ts";
