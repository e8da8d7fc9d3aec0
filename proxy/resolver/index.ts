/** DNS: names of addresses, and addresses of names. */
export { UNAVAILABLE, clientHost } from "./client-host.ts";
export { ResolveError } from "./failure.ts";
export { type Names, SystemNames, namesBy } from "./names.ts";
export type { Resolver } from "./resolver.ts";
export { Resolvers } from "./resolvers.ts";
