/** Lines of the log at a start and at a reload. */
import { release, type } from "node:os";
import type { Settings } from "../../config/index.ts";
import type { ErrorLog } from "../../observe/index.ts";
import { say } from "../../report.ts";
import { builtBy, program } from "../../version.ts";
import { openFiles } from "../os/open-files.ts";

/** The lines with which nginx begins its log: version, system and limits. */
export function startLines(): readonly string[] {
  const files = openFiles();
  return [
    ...(type() === "Linux" ? ['using the "epoll" event method'] : []),
    program,
    builtBy,
    `OS: ${type()} ${release()}`,
    ...(files === null ? [] : [`getrlimit(RLIMIT_NOFILE): ${files.soft}:${files.hard}`]),
  ];
}

/** Logs the notices and warnings of a configuration. */
export function logHints(log: ErrorLog, settings: Settings, warnings: readonly string[]): void {
  for (const notice of settings.notices) log.write("notice", notice);
  for (const warning of [...settings.warnings, ...warnings]) log.write("warn", warning);
}

/** A log whose emergencies are written to the terminal as well, where an operator waits for the start. */
export function atTerminalToo(log: ErrorLog, { error_log }: Settings): Pick<ErrorLog, "write"> {
  if (error_log.some(({ destination }) => "stream" in destination)) return log;
  return {
    write: (level, message) => {
      log.write(level, message);
      if (level === "emerg") say(level, message);
    },
  };
}
