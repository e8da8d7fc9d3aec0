/** Who comes in, and how. */
export { refuseCertificate } from "./client-certificate.ts";
export { type Proxied, type ProxyHeader, brokenHeader, readProxyHeader } from "./proxy-header.ts";
export { type KeyMaterialSource, TlsContexts } from "./tls.ts";
