/** Reading files, with the words that operators know from nginx when it fails. */
import { readFileSync } from "node:fs";
import { systemReason } from "../reason.ts";
import { ConfigError, type Place } from "./error.ts";

/** @throws ConfigError with nginx's words, naming the place of the `include` if there is one */
export function readText(path: string, from?: Place): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(openFailed(path, error), from);
  }
}

/** nginx's words for a file that cannot be opened. */
export function openFailed(path: string, error: unknown): string {
  return `open() "${path}" failed (${systemReason(error)})`;
}
