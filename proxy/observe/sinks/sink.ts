import type { LogLevel } from "../../config/index.ts";

/** A destination of log lines. */
export interface Sink {
  /** @param line with its line end */
  write(line: string, level?: LogLevel): void;
}

/** Hears of trouble with a sink, once an outage. */
export type LogFunction = (level: LogLevel, message: string) => void;
