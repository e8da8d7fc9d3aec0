/** The command line: flags, then settings, then processes. */
import cluster from "node:cluster";
import { parseArgs } from "node:util";
import { ConfigError, type Settings, readSettings } from "./config/index.ts";
import { Primary, runWorker } from "./process/index.ts";

const USAGE = `Usage: postern -c FILE [-p PREFIX] [-t]

  -c FILE    the configuration, in nginx's language (default conf/nginx.conf)
  -p PREFIX  what -c, error_log and pid are relative to (default: this directory)
  -t         test the configuration and exit
  -h         this help
`;

interface Flags {
  readonly c: string;
  readonly p: string;
  readonly t: boolean;
  readonly h: boolean;
}

if (cluster.isWorker) runWorker();
else main();

function main(): void {
  const flags = parseFlags();
  if (flags.h) {
    process.stdout.write(USAGE);
    return;
  }
  const settings = read(flags);
  if (flags.t) {
    for (const notice of settings.notices) say("notice", notice);
    say(null, `the configuration file ${settings.file} syntax is ok`);
    say(null, `configuration file ${settings.file} test is successful`);
    return;
  }
  try {
    new Primary(settings, import.meta.filename).run();
  } catch (error) {
    fail(error);
  }
}

function parseFlags(): Flags {
  try {
    const { values } = parseArgs({
      options: {
        c: { type: "string", short: "c", default: "conf/nginx.conf" },
        p: { type: "string", short: "p", default: "." },
        t: { type: "boolean", short: "t", default: false },
        h: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    say(null, message(error));
    process.stderr.write(USAGE);
    process.exit(1);
  }
}

function read(flags: Flags): Settings {
  try {
    return readSettings(flags.c, flags.p);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    say("emerg", error.message);
    if (flags.t) say(null, `configuration file ${flags.c} test failed`);
    process.exit(1);
  }
}

function fail(error: unknown): never {
  say("emerg", message(error));
  process.exit(1);
}

function say(level: string | null, text: string): void {
  process.stderr.write(`postern: ${level === null ? "" : `[${level}] `}${text}\n`);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
