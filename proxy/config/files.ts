/** Reading files, with the words that operators know from nginx when it fails. */
import { readFileSync } from "node:fs";
import { ConfigError, type Place } from "./error.ts";

/** @throws ConfigError with nginx's words, naming the place of the `include` if there is one */
export function readText(path: string, from?: Place): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(openFailed(path, error), from);
  }
}

/** The C library's words, which operators know from nginx. */
const ERRNO_TEXT: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "2: No such file or directory"],
  ["EACCES", "13: Permission denied"],
  ["EISDIR", "21: Is a directory"],
]);

/** nginx's words for a file that cannot be opened. */
export function openFailed(path: string, error: unknown): string {
  return `open() "${path}" failed (${reason(error)})`;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ERRNO_TEXT.get("code" in error ? error.code : undefined) ?? error.message;
}
