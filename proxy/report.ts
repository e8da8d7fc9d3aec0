/** What the command line says: on standard error and, as far as it concerns a log, in one as well. */
import { type LogLevel, defaultErrorLog, openFailed } from "./config/index.ts";
import { ErrorLog, Sinks } from "./observe/index.ts";

/** @param level null for what is only an answer to whoever sits at the terminal */
export function say(level: LogLevel | null, text: string): void {
  process.stderr.write(`postern: ${level === null ? "" : `[${level}] `}${text}\n`);
}

/** The log of what happens before the configuration's logs are known: that of `-e`, or nginx's default. */
export class EarlyLog {
  readonly #prefix: string;
  readonly #given: string | null;

  /** @param given by `-e` */
  constructor(prefix: string, given: string | null) {
    this.#prefix = prefix;
    this.#given = given;
  }

  write(level: LogLevel, lines: readonly string[]): void {
    const { destination } = defaultErrorLog(this.#prefix, this.#given);
    // On standard error it has been said.
    if (!("path" in destination) || lines.length === 0) return;
    try {
      const sinks = new Sinks((trouble, message) => say(trouble, message));
      const log = new ErrorLog([{ destination, level: "notice" }], sinks);
      for (const line of lines) log.write(level, line);
    } catch (error) {
      say("alert", `could not open error log file: ${openFailed(destination.path, error)}`);
    }
  }
}
