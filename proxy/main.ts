/** The command line, then settings, then processes. */
import cluster from "node:cluster";
import { type CommandLine, UsageError, parseCommandLine } from "./command-line.ts";
import { ConfigError, type Configuration, readConfiguration } from "./config/index.ts";
import { serverTls } from "./listener/index.ts";
import { Primary, runWorker, signalPid } from "./process/index.ts";
import { version } from "./version.ts";

const HELP = `Usage: postern [-?hvVtTq] [-s signal] [-p prefix] [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and what it is built from, then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to the primary process: stop, quit, reopen, reload
  -p prefix     : what -c, error_log and pid are relative to (default: this directory)
  -e filename   : error log where the configuration names none
  -c filename   : configuration file (default: conf/nginx.conf)
  -g directives : global directives that come before the configuration file
`;

if (cluster.isWorker) runWorker();
else await main();

async function main(): Promise<void> {
  const line = orExit(() => parseCommandLine(process.argv.slice(2)), UsageError, null);
  if (line.help || line.version || line.build) {
    about(line);
    if (!line.test) return;
  }
  if (line.test) {
    test(line);
    return;
  }
  const { settings } = orExit(() => read(line), ConfigError, "emerg");
  const { signal } = line;
  if (signal !== null) {
    orExit(() => signalPid(settings.pid, signal), Error, "error");
    return;
  }
  const again = (): typeof settings => read(line).settings;
  await orExit(() => new Primary(settings, again, import.meta.filename), Error, "emerg").run();
}

function about({ help, build }: CommandLine): void {
  process.stderr.write(`postern version: postern/${version} (as nginx/1.31.5)\n`);
  if (help) process.stderr.write(`${HELP}\n`);
  if (!build) return;
  process.stderr.write(
    `built with Node ${process.versions.node}, OpenSSL ${process.versions.openssl}\n` +
      "TLS SNI support enabled\n" +
      "configure arguments: --with-mail --with-mail_ssl_module\n",
  );
}

function test(line: CommandLine): void {
  const { files, settings } = orExit(
    () => read(line),
    ConfigError,
    "emerg",
    `configuration file ${line.file} test failed`,
  );
  if (!line.quiet) {
    for (const notice of settings.notices) say("notice", notice);
    say(null, `the configuration file ${settings.file} syntax is ok`);
    say(null, `configuration file ${settings.file} test is successful`);
  }
  if (!line.dump) return;
  for (const { path, text } of files) {
    process.stdout.write(`# configuration file ${path}:\n${text}\n`);
  }
}

/** @throws ConfigError */
function read({ file, prefix, globals, errorLog }: CommandLine): Configuration {
  const configuration = readConfiguration({ file, prefix, globals, errorLog });
  for (const server of configuration.settings.servers) {
    try {
      serverTls(server, new Uint8Array(48));
    } catch (error) {
      throw new ConfigError(
        `OpenSSL refuses the ssl_* directives (${message(error)})`,
        server.place,
      );
    }
  }
  return configuration;
}

/** Does something, or says why it cannot be done and exits with 1. */
function orExit<Result>(
  work: () => Result,
  expected: typeof Error | typeof ConfigError | typeof UsageError,
  level: string | null,
  also?: string,
): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof expected)) throw error;
    say(level, message(error));
    if (also !== undefined) say(null, also);
    process.exit(1);
  }
}

function say(level: string | null, text: string): void {
  process.stderr.write(`postern: ${level === null ? "" : `[${level}] `}${text}\n`);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
