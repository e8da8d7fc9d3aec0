/** The configuration: nginx's `mail {}` language, into settings. */
export type { CpuAffinity } from "./affinity.ts";
export type { AccessLogTarget } from "./access-log.ts";
export { resolveAddresses } from "./addresses.ts";
export type { LookupEndpoint } from "./auth-http.ts";
export { type Configuration, readConfiguration, rereadConfiguration } from "./configuration.ts";
export { COMMAND_LINE, ConfigError, type Place, shown, told } from "./error.ts";
export { ENVIRONMENT } from "./environment.ts";
export { type ErrorLogTarget, defaultErrorLog } from "./error-log.ts";
export { openFailed } from "./files.ts";
export type { FleetSettings } from "./fleet.ts";
export {
  JAVA_OPTIONS,
  type JavaProperty,
  type Word,
  readArgumentFile,
  readArguments,
} from "./java/index.ts";
export type { Listen } from "./listen.ts";
export type { LogFormat, LogVariable, Template } from "./log-format.ts";
export type { LogDestination } from "./log-destination.ts";
export { LOG_LEVELS, type LogLevel } from "./log-level.ts";
export type { Outbound, OutboundProxy, ProxyCredentials } from "./outbound-proxy.ts";
export { trusts } from "./realip.ts";
export type { RelaySettings } from "./relay.ts";
export type { ResolverSettings } from "./resolver.ts";
export { withoutSecrets } from "./secrets.ts";
export type { ServerSettings, Settings, WorkerSettings } from "./settings.ts";
export type { SyslogServer } from "./syslog.ts";
export {
  type ClientCertificates,
  type Certified,
  type ClientTlsSettings,
  type Judged,
  type KeyMaterials,
  type KeyPair,
  type News,
  type Shown,
  type TlsParameters,
  type TlsSettings,
  expiring,
  expiryWarnings,
  failed,
  match,
} from "./tls/index.ts";
export { type Identity, identityOf, isRoot } from "./user.ts";
