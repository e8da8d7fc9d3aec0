import { dirname, resolve } from "node:path";
import { encoded } from "../bytes.ts";
import { refuseClashingListens } from "./addresses.ts";
import { directives, eventRows, mailRows, mainRows } from "./directives.ts";
import type { Diagnostics, HostName } from "./language/diagnostics.ts";
import { ConfigError } from "./language/error.ts";
import { defaultFile, readFile } from "./language/files.ts";
import { type ConfigFile, type OpenFile, Reader } from "./language/reader.ts";
import { resolveValues } from "./language/scope.ts";
import { lint } from "./lint.ts";
import { relaySettings } from "./modules/auth-http/relay.ts";
import { defaultErrorLog, mainLogs } from "./modules/log/error-log.ts";
import { serverSettings } from "./server.ts";
import type { ServerSettings, Settings } from "./settings.ts";
import { environmentFile } from "./sources/environment.ts";
import { type JavaProperty, readProperties } from "./sources/java/index.ts";
import { TlsReader, type TlsSettings } from "./tls/index.ts";

/** The parts of the command line that are about the configuration. */
export interface ReadOptions {
  /** The main configuration; relative to the prefix. */
  readonly file: string;
  /** The folder that logs and `pid` are relative to. */
  readonly prefix: string;
  /** Directives of the main context that come before the file. */
  readonly globals: string;
  /** The error log where the configuration names none; null for nginx's default. */
  readonly errorLog: string | null;
  /** Java's `-Dname=value`, in order. */
  readonly properties?: readonly JavaProperty[];
  /** The variables of `/environment`; the process's own by default. */
  readonly environment?: Readonly<NodeJS.ProcessEnv>;
}

export interface Configuration {
  readonly settings: Settings;
  /** The files that it names are read by `proxy/certificates/`. */
  readonly tls: TlsSettings;
  /** Every file that was read, in order. */
  readonly files: readonly ConfigFile[];
  /** The names that `resolveAddresses` looks up. */
  readonly names: readonly HostName[];
}

/**
 * Reads a configuration file and all files that it names, but for those of TLS.
 *
 * @throws ConfigError at the first mistake, with file and line
 */
export function readConfiguration(options: ReadOptions): Configuration {
  const { file, prefix, globals, errorLog, properties = [], environment = process.env } = options;
  const path = resolve(prefix, file);
  const paths = { prefix: `${resolve(prefix)}/`, configuration: `${dirname(path)}/` };
  const reader = new Reader(directives, openFrom(environment), paths);
  const { diagnostics } = reader;
  const main = reader.read(path, encoded(globals));
  const mainValues = resolveValues(mainRows, [main]);
  const logs = mainLogs(mainValues.error_log ?? [], defaultErrorLog(prefix, errorLog));
  const mail = main.inner.find(({ context }) => context === "mail");
  if (mail === undefined) throw new ConfigError('no "mail" block', { file: path, line: 1 });
  const tls = new TlsReader(dirname(path));
  const java = readProperties(properties, diagnostics);
  const servers = mail.inner.map((server) => serverSettings(server, mail, logs, tls, java));
  const relay = relaySettings(mail, tls);
  if (servers.length === 0 && relay === null) {
    throw new ConfigError('no "server" in the "mail" block', mail);
  }
  const mailValues = resolveValues(mailRows, [mail]);
  refuseClashingListens({ ...mailValues, servers, relay });
  for (const server of servers) lint(server, diagnostics);
  const settings: Settings = {
    ...mainValues,
    ...mailValues,
    ...resolveValues(
      eventRows,
      main.inner.filter(({ context }) => context === "events"),
    ),
    pid: mainValues.pid ?? defaultFile(prefix, "logs/nginx.pid"),
    error_log: logs,
    file: path,
    servers,
    relay,
    warnings: diagnostics.warnings,
    notices: diagnostics.notices,
  };
  const lookingUp = relay === null ? servers : [...servers, relay];
  return {
    settings,
    tls: tls.settings,
    files: reader.files,
    names: namesOf(diagnostics, lookingUp),
  };
}

/** Opens the files below `/environment` from the environment, and all others from the disk. */
function openFrom(environment: Readonly<NodeJS.ProcessEnv>): OpenFile {
  return (path, from) =>
    environmentFile(path, environment) ?? {
      bytes: readFile(path, from).toString("latin1"),
      secret: false,
    };
}

/** Leaves out the names of endpoints that are reached only through a proxy, which looks them up itself. */
function namesOf(
  { hosts }: Diagnostics,
  lookingUp: readonly Pick<ServerSettings, "auth_http" | "auth_http_proxy">[],
): readonly HostName[] {
  const endpoints = (direct: boolean): ReadonlySet<string> =>
    new Set(
      lookingUp
        .filter(({ auth_http_proxy }) => (auth_http_proxy === null) === direct)
        .map(({ auth_http }) => auth_http.host),
    );
  const direct = endpoints(true);
  const proxied = endpoints(false);
  return hosts.filter(
    ({ directive, host }) => directive !== "auth_http" || direct.has(host) || !proxied.has(host),
  );
}
