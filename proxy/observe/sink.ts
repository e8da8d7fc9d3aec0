import type { LogLevel } from "../config/index.ts";

/** Somewhere that lines go to. */
export interface Sink {
  /** @param line with its line end */
  write(line: string, level?: LogLevel): unknown;
  /** What has begun to go wrong, told once; null where nothing has. */
  trouble?(): string | null;
}
