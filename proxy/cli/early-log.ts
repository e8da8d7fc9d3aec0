/** The log for failures before the configuration's logs are known: that of `-e`, or nginx's default. */
import { type LogLevel, defaultErrorLog, openFailed } from "../config/index.ts";
import { say } from "../report.ts";

export class EarlyLog {
  readonly #prefix: string;
  readonly #given: string | null;

  /** @param given by `-e` */
  constructor(prefix: string, given: string | null) {
    this.#prefix = prefix;
    this.#given = given;
  }

  /** Writes nothing where the log is standard error, which has the lines already. */
  async write(level: LogLevel, lines: readonly string[]): Promise<void> {
    const { destination } = defaultErrorLog(this.#prefix, this.#given);
    if (!("path" in destination) || lines.length === 0) return;
    const { ErrorLog, Sinks } = await import("../observe/index.ts");
    try {
      const sinks = new Sinks((trouble, message) => say(trouble, message));
      const log = new ErrorLog([{ destination, level: "notice" }], sinks);
      for (const line of lines) log.write(level, line);
    } catch (error) {
      say("alert", `could not open error log file: ${openFailed(destination.path, error)}`);
    }
  }
}
