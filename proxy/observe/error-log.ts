/** The error log, in nginx's form: `2026/01/31 12:00:00 [info] 811#811: *7 client logged in, client: …`. */
import type { ErrorLogTarget, LogLevel } from "../config/index.ts";
import { LOG_LEVELS } from "../config/runtime.ts";
import { SECOND, clockText, twoDigits } from "./clock-text.ts";
import { bounded, printable } from "./line.ts";
import type { Sink } from "./sinks/sink.ts";
import type { Sinks } from "./sinks/index.ts";

/** Process and thread. On Linux the main thread has the number of its process. */
const PROCESS = `${process.pid}#${process.pid}`;

/** Bytes of a line: nginx's bound. A pipe takes more in one piece. */
const LONGEST_LINE = 2048;

interface Target {
  readonly sink: Sink;
  readonly threshold: number;
}

export class ErrorLog {
  readonly #targets: readonly Target[];
  readonly #threshold: number;

  constructor(targets: readonly ErrorLogTarget[], sinks: Sinks) {
    this.#targets = targets.map(({ destination, level }) => ({
      sink: sinks.get(destination, "error"),
      threshold: LOG_LEVELS.indexOf(level),
    }));
    this.#threshold = Math.min(...this.#targets.map(({ threshold }) => threshold));
  }

  /** True where a target takes messages of this level. Ask before composing an expensive message. */
  wants(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#threshold;
  }

  /** @param connection the number of the session that the message is about */
  write(level: LogLevel, message: string, connection?: number): void {
    const severity = LOG_LEVELS.indexOf(level);
    if (severity < this.#threshold) return;
    const about = connection === undefined ? "" : `*${connection} `;
    const text = `${timestamp()} [${level}] ${PROCESS}: ${about}${printable(message)}`;
    const line = `${bounded(text, LONGEST_LINE)}\n`;
    for (const { sink, threshold } of this.#targets) {
      if (severity >= threshold) sink.write(line, level);
    }
  }
}

const timestamp = clockText(SECOND, (now) => {
  const date = `${now.getFullYear()}/${twoDigits(now.getMonth() + 1)}/${twoDigits(now.getDate())}`;
  const time = `${twoDigits(now.getHours())}:${twoDigits(now.getMinutes())}:${twoDigits(now.getSeconds())}`;
  return `${date} ${time}`;
});
