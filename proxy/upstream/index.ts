/** The connections to mail servers: routes, dialling, health. */
export { Connector, type ConnectorOwner } from "./connector.ts";
export { type Dialer, direct, proxied } from "./dialer.ts";
export { Health, type HealthListener } from "./health.ts";
export { LocalAddresses } from "./local-addresses.ts";
export { isLocalError } from "./local-errors.ts";
export { guarded, permittedUpstreams } from "./permitted.ts";
export { type OutboundRoute, throughProxy } from "./outbound-route.ts";
export { tlsMode } from "./tls-mode.ts";
export { OutboundProxyError, tunnel, tunnelTimedOut } from "./tunnel/index.ts";
