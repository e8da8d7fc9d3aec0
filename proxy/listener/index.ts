/** Who comes in, and how. */
export { type Proxied, type ProxyHeader, readProxyHeader } from "./proxy-header.ts";
export { serverTls } from "./tls.ts";
