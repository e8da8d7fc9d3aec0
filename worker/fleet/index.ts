/**
 * The fleet of proxies. Proxies report failing mail servers, and lookups avoid the servers that proxies agree on.
 *
 * If there are two proxies, one report is not enough, and a report expires after a minute. So a proxy whose own
 * network fails does not take servers from the others.
 *
 * Each proxy holds a WebSocket, on which it learns at once which users' sessions must end.
 */
export { Fleet } from "./fleet.ts";
