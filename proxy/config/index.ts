/** Reads a configuration in nginx's `mail {}` language into settings. */
export { resolveAddresses } from "./addresses.ts";
export { type Configuration, readConfiguration } from "./configuration.ts";
export type { ServerSettings, Settings } from "./settings.ts";

export {
  COMMAND_LINE,
  ConfigError,
  type Place,
  errorLines,
  formatPlace,
} from "./language/error.ts";
export { opendirFailed, openFailed } from "./language/files.ts";
export { withoutSecrets } from "./language/secrets/dump.ts";

export type { LookupEndpoint } from "./modules/auth-http/auth-http.ts";
export type { RelaySettings } from "./modules/auth-http/relay.ts";
export type { CpuAffinity } from "./modules/core/cpu-affinity.ts";
export type { Identity } from "./modules/core/user.ts";
export type { AccessLogTarget } from "./modules/log/access-log.ts";
export { type ErrorLogTarget, defaultErrorLog } from "./modules/log/error-log.ts";
export type { LogDestination } from "./modules/log/log-destination.ts";
export type { LogFormat, LogVariable, Template } from "./modules/log/log-format.ts";
export { LOG_LEVELS, type LogLevel } from "./modules/log/log-level.ts";
export type { SyslogServer } from "./modules/log/syslog.ts";
export type { FleetSettings } from "./modules/mail/fleet.ts";
export type { Listen } from "./modules/mail/listen.ts";
export { trusts } from "./modules/mail/realip.ts";
export type { ResolverSettings } from "./modules/mail/resolver.ts";
export type {
  OutboundProxy,
  OutboundRoutes,
  ProxyCredentials,
} from "./modules/proxy/outbound-proxy.ts";

export { ENVIRONMENT } from "./sources/environment.ts";
export {
  JAVA_OPTIONS,
  type JavaProperty,
  type Word,
  readArgumentFile,
  readArguments,
} from "./sources/java/index.ts";

export {
  type CertificateDirectorySettings,
  type ClientCertificateMode,
  type ClientTlsSettings,
  type DhparamFile,
  type NamedFile,
  type NamedPair,
  type ServerTlsSettings,
  type TlsOptions,
  type TlsSettings,
  opensslError,
} from "./tls/index.ts";
