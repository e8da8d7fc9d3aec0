/** The command line, then settings, then processes. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type CommandLine, parseCommandLine } from "./command-line.ts";
import {
  ConfigError,
  type Configuration,
  JAVA_OPTIONS,
  type LogLevel,
  type ServerSettings,
  type Settings,
  rereadConfiguration,
  resolveAddresses,
  errorLines,
  withoutSecrets,
} from "./config/index.ts";
import { TlsContexts } from "./certificates/index.ts";
import {
  Primary,
  carryOut,
  checkResources,
  checkStart,
  isDaemon,
  isSuccessor,
  letGoOfTerminal,
  readPid,
  signalPid,
  startDaemon,
  tellStarted,
} from "./process/index.ts";
import { reason } from "./reason.ts";
import { EarlyLog, say } from "./report.ts";
import { inSlices } from "./slices.ts";
import { ClientTlsContexts } from "./upstream/index.ts";
import { builtBy, program } from "./version.ts";

const HELP = `Usage: postern [-?hvVtTq] [-s signal] [-p prefix] [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and what it is built from, then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to the primary process: stop, quit, reopen, reload
  -s who        : list the sessions: in columns at a terminal, otherwise in JSON, a line each
  -s kick user  : end a user's sessions, and forget what lookups have said of them
  -p prefix     : what -c, error_log and pid are relative to (default: this directory)
  -e filename   : error log where the configuration names none
  -c filename   : configuration file (default: conf/nginx.conf)
  -g directives : global directives that come before the configuration file
  -Dname=value  : outbound proxies, by Java's properties (mail.imap.proxy.host and its kind)
  @file         : more of these words, in an argument file of Java's
`;

/** What workers run: this command's own entry. */
const entry = fileURLToPath(new URL("main.cjs", import.meta.url));

/** Where failures are told as well, once the command line says where. */
let earlyLog: EarlyLog | null = null;

export async function main(): Promise<void> {
  const line = await orExit(commandLine, null);
  earlyLog = new EarlyLog(line.prefix, line.errorLog);
  if (line.help || line.version || line.build) {
    about(line);
    if (!line.test) return;
  }
  if (line.test) {
    await test(line);
    return;
  }
  const { settings } = await orExit(() => read(line), "emerg");
  const { signal, order } = line;
  if (order !== null) {
    if (!(await orExit(() => carryOut(order, settings.pid), "error"))) process.exitCode = 1;
    return;
  }
  if (signal !== null) {
    const pid = await orExit(() => readPid(settings.pid), "error");
    await orExit(() => signalPid(pid, signal), "alert");
    return;
  }
  const warnings = await orExit(() => checkResources(settings), "emerg");
  if (!isDaemon) for (const warning of [...settings.warnings, ...warnings]) say("warn", warning);
  if (settings.daemon && !isDaemon && !isSuccessor) process.exit(await startDaemon());
  // Files named by @ may say something else by then.
  const again = async (before: Settings): Promise<Settings> =>
    (await read(commandLine(), before)).settings;
  const primary = await orExit(() => Primary.open(settings, again, entry), "emerg");
  if (isDaemon) letGoOfTerminal();
  await primary.run();
  if (isDaemon) tellStarted();
}

/** @throws UsageError, ConfigError */
function commandLine(): CommandLine {
  return parseCommandLine(process.argv.slice(2), process.env[JAVA_OPTIONS]);
}

function about({ help, build }: CommandLine): void {
  process.stderr.write(`postern version: ${program}\n`);
  if (help) process.stderr.write(`${HELP}\n`);
  if (!build) return;
  process.stderr.write(
    `${builtBy}\nbuilt with OpenSSL ${process.versions.openssl}\n` +
      "TLS SNI support enabled\n" +
      "configure arguments: --with-mail --with-mail_ssl_module\n",
  );
}

async function test(line: CommandLine): Promise<void> {
  const path = resolve(line.prefix, line.file);
  const failed = `configuration file ${path} test failed`;
  const { files, settings } = await orExit(() => read(line), "emerg", failed);
  warn(settings.warnings);
  if (!line.quiet) {
    for (const notice of settings.notices) say("notice", notice);
    say(null, `the configuration file ${path} syntax is ok`);
  }
  const warnings = await orExit(() => checkStart(settings), "emerg", failed);
  warn(warnings);
  if (!line.quiet) say(null, `configuration file ${path} test is successful`);
  if (!line.dump) return;
  for (const { path: file, bytes } of files) {
    process.stdout.write(`# configuration file ${file}:\n`);
    process.stdout.write(`${withoutSecrets(bytes)}\n`, "latin1");
  }
}

/** What a start would tell the configured log as well. */
function warn(warnings: readonly string[]): void {
  for (const warning of warnings) say("warn", warning);
  earlyLog?.write("warn", warnings);
}

/**
 * @param before those in force
 * @throws ConfigError
 */
async function read(line: CommandLine, before?: Settings): Promise<Configuration> {
  const configuration = await inSlices(rereadConfiguration(line, before?.keyMaterials ?? null));
  const resolved = await resolveAddresses(configuration.settings, configuration.names);
  const settings = { ...resolved, warnings: [...line.warnings, ...resolved.warnings] };
  const tls = new TlsContexts([new Uint8Array(48)]);
  const clientTls = new ClientTlsContexts();
  for (const server of settings.servers) {
    const { proxyTls, lookupTls, place } = server;
    accepted("ssl_*", place, () => tls.of(server));
    accepted("proxy_ssl_*", place, () => clientTls.of(proxyTls).check());
    if (lookupTls !== null) {
      accepted("auth_http_ssl_*", place, () => clientTls.of(lookupTls).check());
    }
  }
  const { relay } = settings;
  if (relay !== null && relay.lookupTls !== null) {
    const { lookupTls, listen } = relay;
    accepted("auth_http_ssl_*", listen.place, () => clientTls.of(lookupTls).check());
  }
  return { ...configuration, settings };
}

/** @throws ConfigError where OpenSSL refuses what such directives say */
function accepted(directives: string, place: ServerSettings["place"], make: () => void): void {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`OpenSSL refuses the ${directives} directives (${reason(error)})`, place);
  }
}

/** Does something, or says why it cannot be done and exits with 1. */
async function orExit<Result>(
  work: () => Result | Promise<Result>,
  level: LogLevel | null,
  also?: string,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const [what = "", ...advice] = errorLines(error);
    say(level, what);
    for (const line of advice) say(null, line);
    if (level !== null) earlyLog?.write(level, [what, ...advice]);
    if (also !== undefined) say(null, also);
    process.exit(1);
  }
}
