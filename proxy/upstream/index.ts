/** The way upstream. */
export { type Dialer, direct, proxied } from "./dialer.ts";
export { Health, type Upstream, type HealthListener } from "./health.ts";
export type { Dial, Dialled } from "./happy-eyeballs.ts";
export { LocalAddresses } from "./local-addresses.ts";
export { isOurs } from "./ours.ts";
export { formatProxyHeader } from "./proxy-header.ts";
export { tlsMode } from "./tls-mode.ts";
export { OutboundProxyError, tunnel } from "./tunnel/index.ts";
export { type Way, always, outbound } from "./way.ts";
