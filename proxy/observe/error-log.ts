/** The error log, in nginx's form: `2026/01/31 12:00:00 [info] 811#811: *7 client logged in, client: …`. */
import { type ErrorLogTarget, LOG_LEVELS, type LogLevel } from "../config/index.ts";
import { bounded, printable } from "./line.ts";
import type { Sink } from "./sink.ts";
import type { Sinks } from "./sinks.ts";

/** Process and thread, which are one: on Linux the main thread has its process's number. */
const WHO = `${process.pid}#${process.pid}`;

/** Bytes in a line: nginx's bound, and less than a pipe writes in one piece. */
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

  /** Whether anyone would read such a message: ask before making an expensive one. */
  wants(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#threshold;
  }

  /** @param connection the number of the session that the message is about */
  write(level: LogLevel, message: string, connection?: number): void {
    const severity = LOG_LEVELS.indexOf(level);
    if (severity < this.#threshold) return;
    const about = connection === undefined ? "" : `*${connection} `;
    const line = `${timestamp()} [${level}] ${WHO}: ${about}${printable(message)}`;
    for (const { sink, threshold } of this.#targets) {
      if (severity >= threshold) sink.write(`${bounded(line, LONGEST_LINE)}\n`, level);
    }
  }
}

function timestamp(): string {
  const now = new Date();
  const date = `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())}`;
  return `${date} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
