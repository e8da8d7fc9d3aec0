/** The way upstream. */
export { ClientTlsContexts } from "./client-tls.ts";
export { type Dialer, direct } from "./dialer.ts";
export { Health } from "./health.ts";
export type { Dialled } from "./happy-eyeballs.ts";
export { isOurs } from "./ours.ts";
export { formatProxyHeader } from "./proxy-header.ts";
export { tlsMode } from "./tls-mode.ts";
