/** The PROXY protocol: read from a balancer, written to an upstream. */
export { formatProxyHeader } from "./format.ts";
export { type ProxyHeader, type Proxied, brokenHeader, readProxyHeader } from "./parse.ts";
