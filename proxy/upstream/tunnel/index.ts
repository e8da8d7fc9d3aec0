/** Tunnels through outbound proxies. */
export { OutboundProxyError, tunnel, tunnelTimedOut } from "./tunnel.ts";
