/** The command: reads the command line and the configuration, and does what they say. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { LoadedSettings } from "../certificates/index.ts";
import { type CommandLine, parseCommandLine } from "./command-line.ts";
import { JAVA_OPTIONS, type LogLevel, errorLines, withoutSecrets } from "../config/index.ts";
import { EarlyLog } from "./early-log.ts";
import type { Order } from "../process/control/command.ts";
import type { Signal } from "../process/os/pid-file.ts";
import { say } from "../report.ts";
import { readSettings } from "./settings.ts";
import { about } from "./usage.ts";

/** The module that workers run. */
const ENTRY = fileURLToPath(new URL("../main.cjs", import.meta.url));

/** Null until the command line says where. */
let earlyLog: EarlyLog | null = null;

/** Each command loads what it needs and no more: `-t` needs no session, and a signal needs no socket. */
export async function main(): Promise<void> {
  const line = await orExit(commandLine, null);
  earlyLog = new EarlyLog(line.prefix, line.errorLog);
  if (line.help || line.version || line.build) about(line);
  else if (!line.test) {
    const { settings } = await orExit(() => readSettings(line), "emerg");
    if (line.order !== null) await carryOut(line.order, settings);
    else if (line.signal !== null) await signal(line.signal, settings);
    else await serve(settings);
  }
  if (line.test) await test(line);
}

/** @throws UsageError, ConfigError */
function commandLine(): CommandLine {
  return parseCommandLine(process.argv.slice(2), process.env[JAVA_OPTIONS]);
}

/** `-t` and `-T` */
async function test(line: CommandLine): Promise<void> {
  const path = resolve(line.prefix, line.file);
  const failed = `configuration file ${path} test failed`;
  const { files, settings } = await orExit(() => readSettings(line), "emerg", failed);
  await warn(settings.warnings);
  if (!line.quiet) {
    for (const notice of settings.notices) say("notice", notice);
    say(null, `the configuration file ${path} syntax is ok`);
  }
  const { checkStart } = await import("../process/primary/check.ts");
  await warn(await orExit(() => checkStart(settings), "emerg", failed));
  if (!line.quiet) say(null, `configuration file ${path} test is successful`);
  if (!line.dump) return;
  for (const { path: file, bytes } of files) {
    process.stdout.write(`# configuration file ${file}:\n`);
    process.stdout.write(`${withoutSecrets(bytes)}\n`, "latin1");
  }
}

/** Warnings of `-t` go to the log as well, as nginx's do. */
async function warn(warnings: readonly string[]): Promise<void> {
  for (const warning of warnings) say("warn", warning);
  await earlyLog?.write("warn", warnings);
}

/** `-s who` and `-s kick` */
async function carryOut(order: Order, { pid }: LoadedSettings): Promise<void> {
  const control = await import("../process/control/command.ts");
  if (!(await orExit(() => control.carryOut(order, pid), "error"))) process.exitCode = 1;
}

/** `-s stop` and nginx's other signals */
async function signal(name: Signal, settings: LoadedSettings): Promise<void> {
  const { readPid, signalPid } = await import("../process/os/pid-file.ts");
  const pid = await orExit(() => readPid(settings.pid), "error");
  await orExit(() => signalPid(pid, name), "alert");
}

async function serve(settings: LoadedSettings): Promise<void> {
  const { Primary } = await import("../process/primary/primary.ts");
  const { checkResources } = await import("../process/primary/resources.ts");
  const { isDaemon, isUpgrade } = await import("../process/os/launch-environment.ts");
  const { letGoOfTerminal, startDaemon, tellStarted } = await import("../process/os/daemon.ts");
  const warnings = await orExit(() => checkResources(settings), "emerg");
  if (!isDaemon) for (const warning of [...settings.warnings, ...warnings]) say("warn", warning);
  if (settings.daemon && !isDaemon && !isUpgrade) process.exit(await startDaemon());
  const primary = await orExit(() => Primary.open(settings, reread, ENTRY), "emerg");
  if (isDaemon) letGoOfTerminal();
  await primary.run();
  if (isDaemon) tellStarted();
}

/** For a reload. Files named by @ may say something else by then. */
async function reread(before: LoadedSettings): Promise<LoadedSettings> {
  return (await readSettings(commandLine(), before)).settings;
}

/** Does something, or says why it cannot be done and exits with 1. @param also the last line, for nginx's `-t` */
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
    if (level !== null) await earlyLog?.write(level, [what, ...advice]);
    if (also !== undefined) say(null, also);
    process.exit(1);
  }
}
