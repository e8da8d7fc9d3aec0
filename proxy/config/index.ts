/** The configuration: nginx's `mail {}` language, into settings. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { authHttpSsl, endpointTls } from "./auth-http.ts";
import { encoded } from "./bytes.ts";
import type { Rows, Values } from "./directive.ts";
import { ConfigError, type Place } from "./error.ts";
import type { ErrorLogTarget } from "./error-log.ts";
import type { Findings } from "./findings.ts";
import { type JavaOutbound, type JavaProperty, readProperties } from "./java/index.ts";
import { protocolOf, refuseClashes } from "./listen.ts";
import { outboundOf } from "./outbound-proxy.ts";
import { proxySsl, upstreamTls } from "./proxy-ssl.ts";
import { type ConfigFile, Reader, type Scope } from "./read.ts";
import type { ServerSettings, Settings } from "./settings.ts";
import { type ServerValues, eventRows, mainRows, serverRows } from "./table.ts";
import { type PlaceOf, TlsReader, type TlsSettings, type TlsUser, ssl } from "./tls/index.ts";

export type { CpuAffinity } from "./affinity.ts";
export type { AccessLogTarget } from "./access-log.ts";
export { resolveAddresses } from "./addresses.ts";
export type { LookupEndpoint } from "./auth-http.ts";
export { COMMAND_LINE, ConfigError, type Place, shown, told } from "./error.ts";
export type { ErrorLogTarget } from "./error-log.ts";
export { openFailed } from "./files.ts";
export {
  JAVA_OPTIONS,
  type JavaProperty,
  type Word,
  readArgumentFile,
  readArguments,
} from "./java/index.ts";
export type { Listen } from "./listen.ts";
export { LOG_LEVELS, type LogLevel } from "./log-level.ts";
export type { Outbound, OutboundProxy, ProxyCredentials } from "./outbound-proxy.ts";
export { trusts } from "./realip.ts";
export type { ResolverSettings } from "./resolver.ts";
export { withoutPasswords } from "./secrets.ts";
export type { ServerSettings, Settings } from "./settings.ts";
export type { SyslogServer } from "./syslog.ts";
export {
  type ClientCertificates,
  type ClientTlsSettings,
  type Judged,
  type TlsParameters,
  type TlsSettings,
  failed,
} from "./tls/index.ts";
export { type Identity, identityOf, isRoot } from "./user.ts";

/** Where to read from, as the command line says it. */
export interface Source {
  /** The main configuration; relative to the prefix. */
  readonly file: string;
  /** The directory that `error_log` and `pid` are relative to. */
  readonly prefix: string;
  /** Directives of the main context that come before the file. */
  readonly globals: string;
  /** The error log where the configuration names none; null for nginx's default. */
  readonly errorLog: string | null;
  /** Java's `-Dname=value`, in order. */
  readonly properties?: readonly JavaProperty[];
}

export interface Configuration {
  readonly settings: Settings;
  /** Every file that was read, in order. */
  readonly files: readonly ConfigFile[];
  /** What `resolveAddresses` is to look up. */
  readonly names: Findings["hosts"];
}

/**
 * Reads a configuration file and all that it names.
 *
 * @throws ConfigError at the first mistake, with file and line
 */
export function readConfiguration(source: Source): Configuration {
  const { file, prefix, globals, errorLog, properties = [] } = source;
  const path = resolve(prefix, file);
  const reader = new Reader({ prefix: `${resolve(prefix)}/`, configuration: `${dirname(path)}/` });
  const main = reader.read(path, encoded(globals));
  const own = resolveValues(mainRows, [main]);
  const logs = mainLogs(own.error_log ?? [], defaultErrorLog(prefix, errorLog));
  const mail = main.inner.find(({ context }) => context === "mail");
  if (mail === undefined) throw new ConfigError('no "mail" block', { file: path, line: 1 });
  const tls = new TlsReader(dirname(path), reader.findings);
  const java = readProperties(properties, reader.findings);
  const servers = mail.inner.map((server) => serverSettings(server, mail, logs, tls, java));
  if (servers.length === 0) throw new ConfigError('no "server" in the "mail" block', mail);
  refuseClashes(servers.flatMap(({ listen }) => listen));
  const settings: Settings = {
    ...own,
    ...resolveValues(
      eventRows,
      main.inner.filter(({ context }) => context === "events"),
    ),
    pid: own.pid ?? defaultFile(prefix, "logs/nginx.pid"),
    error_log: logs,
    file: path,
    servers,
    warnings: reader.findings.warnings,
    notices: reader.findings.notices,
  };
  return { settings, files: reader.files, names: namesOf(reader.findings, servers) };
}

/** An endpoint behind a proxy may have a name that the proxy alone knows. */
function namesOf({ hosts }: Findings, servers: readonly ServerSettings[]): Findings["hosts"] {
  const endpoints = (direct: boolean): ReadonlySet<string> =>
    new Set(
      servers
        .filter(({ auth_http_proxy }) => (auth_http_proxy === null) === direct)
        .map(({ auth_http }) => auth_http.host),
    );
  const here = endpoints(true);
  const away = endpoints(false);
  return hosts.filter(
    ({ directive, host }) => directive !== "auth_http" || here.has(host) || !away.has(host),
  );
}

function serverSettings(
  server: Scope,
  mail: Scope,
  outerLogs: readonly ErrorLogTarget[],
  tls: TlsReader,
  java: JavaOutbound,
): ServerSettings {
  const written = resolveValues(serverRows, [server, mail]);
  // `ssl on;` of old: every socket of the server is under TLS.
  const listen = written.listen.map((one) => ({ ...one, ssl: one.ssl || written.ssl }));
  const values = { ...written, listen };
  const { auth_http } = values;
  const protocol = values.protocol ?? protocolOf(listen);
  if (protocol === undefined) throw new ConfigError("unknown mail protocol for server", server);
  if (auth_http === null) throw new ConfigError('no "auth_http" is defined for server', server);
  const scopes = [server, mail] as const;
  const place = { file: server.file, line: server.line };
  return {
    ...values,
    place,
    protocol,
    auth_http,
    error_log: values.error_log ?? outerLogs,
    tls: tlsSettings(values, scopes, tls),
    proxyTls: tls.readAsClient(upstreamTls(resolveValues(proxySsl, scopes)), place),
    lookupTls: auth_http.https
      ? tls.readAsClient(endpointTls(resolveValues(authHttpSsl, scopes)), place)
      : null,
    outbound: outboundOf(values, java[protocol]),
  };
}

function tlsSettings(
  values: Pick<ServerValues, "listen" | "starttls">,
  scopes: readonly [server: Scope, mail: Scope],
  reader: TlsReader,
): TlsSettings | null {
  const places: PlaceOf = (name) => placeOf(name, scopes);
  const user = tlsUser(values, places);
  return user === null ? null : reader.read(resolveValues(ssl, scopes), user, places);
}

/** nginx speaks of the last `listen ... ssl` where there is one, even if the server has STARTTLS as well. */
function tlsUser(
  { listen, starttls }: Pick<ServerValues, "listen" | "starttls">,
  places: PlaceOf,
): TlsUser | null {
  const implicit = listen.findLast((each) => each.ssl);
  if (implicit !== undefined) return { name: "listen ... ssl", place: implicit.place };
  return starttls === "off" ? null : { name: "starttls", place: places("starttls") };
}

/** Where the directive stands that holds in the innermost block; the block's own place where none does. */
function placeOf(name: string, scopes: readonly [inner: Scope, ...outer: Scope[]]): Place {
  const [inner] = scopes;
  const scope = scopes.find(({ places }) => places.has(name));
  return scope?.places.get(name) ?? { file: inner.file, line: inner.line };
}

/** The innermost block's value, else an outer one's, else the row's default. */
function resolveValues<Table extends Rows>(table: Table, scopes: readonly Scope[]): Values<Table> {
  const values: Record<string, unknown> = {};
  for (const name in table) values[name] = table[name]?.default;
  for (const scope of scopes.toReversed()) {
    for (const [name, value] of scope.values) {
      if (Object.hasOwn(table, name)) values[name] = value;
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value was made by its row's reader
  return values as Values<Table>;
}

/** A syslog server alone is not enough: what matters goes to a file or to stderr in any case, as in nginx. */
function mainLogs(
  given: readonly ErrorLogTarget[],
  fallback: ErrorLogTarget,
): readonly ErrorLogTarget[] {
  const lasting = given.some(({ destination }) => !("syslog" in destination));
  return lasting ? given : [...given, fallback];
}

/**
 * nginx logs to `logs/error.log`; where there is no `logs/`, as in a container, to stderr.
 *
 * @param given by `-e`
 */
export function defaultErrorLog(prefix: string, given: string | null): ErrorLogTarget {
  const path = given === null ? defaultFile(prefix, "logs/error.log") : resolve(prefix, given);
  const stderr = given === "stderr" || path === null;
  return { destination: stderr ? { stderr } : { path }, level: "error" };
}

function defaultFile(prefix: string, file: string): string | null {
  const path = resolve(prefix, file);
  return existsSync(dirname(path)) ? path : null;
}
