/** Lookups: the `auth_http` client. */
export type { Answer, Authority, LookupRequest, Responder, Route } from "./authority.ts";
export { CachingAuthority } from "./caching-authority.ts";
export { CircuitBreaker } from "./circuit-breaker.ts";
export { Endpoint } from "./endpoint.ts";
export { HttpResponder } from "./http-responder.ts";
export { type Relay, RelayedLookup } from "./relay.ts";
