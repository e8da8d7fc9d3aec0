/** Policies that choose one of several servers, and the resolver of servers' names. */
export type { Coordinates } from "./coordinates.ts";
export { DnsOverHttps } from "./dns-over-https.ts";
export { portOf, rank } from "./rank.ts";
