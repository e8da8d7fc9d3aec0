/**
 * The fleet: proxies tell which mail servers fail, and lookups keep away from those on which they agree.
 *
 * Nobody's word is enough where there are two to ask, and nothing that is said outlives a minute: a proxy
 * whose own network fails takes no server from the others.
 *
 * To each proxy there is a line, by which it hears at once whose sessions are to end.
 */
export { Fleet } from "./fleet.ts";
