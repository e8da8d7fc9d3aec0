/** What the command line says: on standard error and, as far as it concerns a log, in one as well. */
import { type LogLevel, defaultErrorLog, openFailed } from "./config/index.ts";
import { ErrorLog, Sinks } from "./observe/index.ts";

/** @param level null for what is only an answer to whoever sits at the terminal */
export function say(level: LogLevel | null, text: string): void {
  process.stderr.write(`postern: ${level === null ? "" : `[${level}] `}${text}\n`);
}

/** The log of what happens before the configuration's logs are known: that of `-e`, or nginx's default. */
export function logEarly(
  level: LogLevel,
  text: string,
  prefix: string,
  given: string | null,
): void {
  const { destination } = defaultErrorLog(prefix, given);
  // It has been said there.
  if (!("path" in destination)) return;
  try {
    new ErrorLog([{ destination, level: "notice" }], new Sinks()).write(level, text);
  } catch (error) {
    say("alert", `could not open error log file: ${openFailed(destination.path, error)}`);
  }
}
