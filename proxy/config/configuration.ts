/** A whole configuration: a file and all that it names, into settings. */
import { dirname, resolve } from "node:path";
import { type Steps, atOnce } from "../slices.ts";
import { encoded } from "../bytes.ts";
import { lint } from "./lint.ts";
import { ConfigError } from "./language/error.ts";
import { defaultErrorLog, mainLogs } from "./modules/log/error-log.ts";
import { defaultFile } from "./language/files.ts";
import type { Diagnostics } from "./language/diagnostics.ts";
import { type JavaProperty, readProperties } from "./sources/java/index.ts";
import { refuseClashingListens } from "./addresses.ts";
import { type ConfigFile, Reader } from "./language/reader.ts";
import { relaySettings } from "./modules/auth-http/relay.ts";
import { resolveValues } from "./language/scope.ts";
import { serverSettings } from "./server.ts";
import type { ServerSettings, Settings } from "./settings.ts";
import { eventRows, mailRows, mainRows } from "./table.ts";
import { type KeyMaterials, TlsReader, expiring, expiryWarnings } from "./tls/index.ts";

/** Where to read from, as the command line says it. */
export interface Source {
  /** The main configuration; relative to the prefix. */
  readonly file: string;
  /** The directory that logs and `pid` are relative to. */
  readonly prefix: string;
  /** Directives of the main context that come before the file. */
  readonly globals: string;
  /** The error log where the configuration names none; null for nginx's default. */
  readonly errorLog: string | null;
  /** Java's `-Dname=value`, in order. */
  readonly properties?: readonly JavaProperty[];
  /** What `/environment` is made of; the process's own unless given. */
  readonly environment?: Readonly<NodeJS.ProcessEnv>;
}

export interface Configuration {
  readonly settings: Settings;
  /** Every file that was read, in order. */
  readonly files: readonly ConfigFile[];
  /** What `resolveAddresses` is to look up. */
  readonly names: Diagnostics["hosts"];
}

/**
 * Reads a configuration file and all that it names.
 *
 * @throws ConfigError at the first mistake, with file and line
 */
export function readConfiguration(source: Source): Configuration {
  return atOnce(rereadConfiguration(source, null));
}

/**
 * In steps, since there may be many certificates.
 *
 * @param before of the configuration in force; of its files only those are read that have changed
 * @throws ConfigError likewise
 */
export function* rereadConfiguration(
  source: Source,
  before: KeyMaterials | null,
): Steps<Configuration> {
  const { file, prefix, globals, errorLog, properties = [], environment = process.env } = source;
  const path = resolve(prefix, file);
  const paths = { prefix: `${resolve(prefix)}/`, configuration: `${dirname(path)}/` };
  const reader = new Reader(paths, environment);
  const main = reader.read(path, encoded(globals));
  const own = resolveValues(mainRows, [main]);
  const logs = mainLogs(own.error_log ?? [], defaultErrorLog(prefix, errorLog));
  const mail = main.inner.find(({ context }) => context === "mail");
  if (mail === undefined) throw new ConfigError('no "mail" block', { file: path, line: 1 });
  const tls = new TlsReader(dirname(path), reader.diagnostics, before);
  const java = readProperties(properties, reader.diagnostics);
  const servers: ServerSettings[] = [];
  for (const server of mail.inner) {
    servers.push(yield* serverSettings(server, mail, logs, tls, java));
  }
  const relay = relaySettings(mail, tls);
  if (servers.length === 0 && relay === null) {
    throw new ConfigError('no "server" in the "mail" block', mail);
  }
  const whole = resolveValues(mailRows, [mail]);
  refuseClashingListens({ ...whole, servers, relay });
  for (const server of servers) lint(server, reader.diagnostics);
  reader.diagnostics.warnings.push(...expiryWarnings(expiring(tls.keyMaterials.certified)));
  const settings: Settings = {
    ...own,
    ...whole,
    ...resolveValues(
      eventRows,
      main.inner.filter(({ context }) => context === "events"),
    ),
    pid: own.pid ?? defaultFile(prefix, "logs/nginx.pid"),
    error_log: logs,
    file: path,
    servers,
    relay,
    keyMaterials: tls.keyMaterials,
    warnings: reader.diagnostics.warnings,
    notices: reader.diagnostics.notices,
  };
  const asking = relay === null ? servers : [...servers, relay];
  return { settings, files: reader.files, names: namesOf(reader.diagnostics, asking) };
}

/** An endpoint behind a proxy may have a name that the proxy alone knows. */
function namesOf(
  { hosts }: Diagnostics,
  asking: readonly Pick<ServerSettings, "auth_http" | "auth_http_proxy">[],
): Diagnostics["hosts"] {
  const endpoints = (direct: boolean): ReadonlySet<string> =>
    new Set(
      asking
        .filter(({ auth_http_proxy }) => (auth_http_proxy === null) === direct)
        .map(({ auth_http }) => auth_http.host),
    );
  const here = endpoints(true);
  const away = endpoints(false);
  return hosts.filter(
    ({ directive, host }) => directive !== "auth_http" || here.has(host) || !away.has(host),
  );
}
