/** Who comes in, and how. */
export { type Proxied, type ProxyHeader, brokenHeader, readProxyHeader } from "./proxy-header.ts";
