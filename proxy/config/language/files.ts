/** Files: where they are, and what is in them, with the words that operators know from nginx when it fails. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { systemReason } from "../../reason.ts";
import { ConfigError, type Place } from "./error.ts";

/** @throws ConfigError with nginx's words, naming the place of the directive if there is one */
export function readFile(path: string, from?: Place): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(openFailed(path, error), from);
  }
}

/** A path as nginx makes it and shows it: what is not absolute is put behind a base, which ends in `/`. */
export function fullName(base: string, path: string): string {
  return path.startsWith("/") ? path : base + path;
}

/** nginx's words for a file that cannot be opened. */
export function openFailed(path: string, error: unknown): string {
  return `open() "${path}" failed (${systemReason(error)})`;
}

/** And for a folder. */
export function opendirFailed(path: string, error: unknown): string {
  return `opendir() "${path}" failed (${systemReason(error)})`;
}

/** A file that nginx has unless it is told otherwise; null where its directory is not there, as in a container. */
export function defaultFile(prefix: string, file: string): string | null {
  const path = resolve(prefix, file);
  return existsSync(dirname(path)) ? path : null;
}
