import type { LogLevel } from "../config/index.ts";

/** Somewhere that lines go to. */
export interface Sink {
  /**
   * @param line with its line end
   * @returns false where it is known to be lost
   */
  write(line: string, level?: LogLevel): boolean;
}

/** Hears what befalls a sink, once an outage. */
export type LogFunction = (level: LogLevel, message: string) => void;
