/** Lookups: the `auth_http` client, and the relay for a stock nginx. */
export { LookupClient } from "./client.ts";
export { HttpEndpoint } from "./http.ts";
export {
  type Accepted,
  type LookupReceiver,
  type LookupReply,
  type LookupRequest,
  type PendingLookup,
  type Route,
  unavailable,
} from "./lookup.ts";
export { type Relay, RelayedLookup } from "./relay.ts";
