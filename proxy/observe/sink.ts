import type { LogLevel } from "../config/index.ts";

/** Somewhere that lines go to. */
export interface Sink {
  /** @param line with its line end */
  write(line: string, level?: LogLevel): unknown;
  /** What has begun to go wrong, told once; null where nothing has. */
  trouble?(): string | null;
}

/** Sends one datagram, or drops it, at once. @returns false where it can tell that nobody got it */
export type Send = (datagram: Uint8Array) => boolean;
