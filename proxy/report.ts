/** Messages of the command line, on standard error. */
import type { LogLevel } from "./config/index.ts";

/** @param level null for the answer to a command */
export function say(level: LogLevel | null, text: string): void {
  process.stderr.write(`postern: ${level === null ? "" : `[${level}] `}${text}\n`);
}
