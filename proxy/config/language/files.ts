/** Paths and contents of files that a configuration names. Errors are nginx's. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { systemReason } from "../../reason.ts";
import { ConfigError, type Place } from "./error.ts";

/** @throws ConfigError with nginx's words, at the directive's place if there is one */
export function readFile(path: string, from?: Place): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(openFailed(path, error), from);
  }
}

/**
 * Reads a file with a secret. The error does not quote the name, which by mistake may be the secret itself.
 *
 * @param parameter that names the file, for the error
 */
export function readSecretFile(path: string, parameter: string, from: Place): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const what = `open() of the file of "${parameter}" failed (${systemReason(error)})`;
    throw new ConfigError(what, from, `"${parameter}" takes a file's name, not the secret itself`);
  }
}

/** Makes a path as nginx makes and shows it: a relative one is appended to a base, which ends in `/`. */
export function fullName(base: string, path: string): string {
  return path.startsWith("/") ? path : base + path;
}

/** nginx's error for a file that cannot be opened. */
export function openFailed(path: string, error: unknown): string {
  return `open() "${path}" failed (${systemReason(error)})`;
}

/** nginx's error for a folder that cannot be opened. */
export function opendirFailed(path: string, error: unknown): string {
  return `opendir() "${path}" failed (${systemReason(error)})`;
}

/** The path of a file that nginx has by default; null where its folder does not exist, as in a container. */
export function defaultFile(prefix: string, file: string): string | null {
  const path = resolve(prefix, file);
  return existsSync(dirname(path)) ? path : null;
}
