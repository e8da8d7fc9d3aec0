/** Java's command line: argument files, and the properties of outbound proxies. */
import { resolve } from "node:path";
import { readFile } from "../../language/files.ts";
import { type Word, readArguments } from "./argument-file.ts";

export { type Word, readArguments } from "./argument-file.ts";
export { type JavaRoutes, type JavaProperty, readProperties } from "./properties.ts";

/** The environment variable of arguments that come before those of the command line. It has an argument file's syntax. */
export const JAVA_OPTIONS = "POSTERN_JAVA_OPTS";

/**
 * @param path relative to the working directory, as in Java
 * @throws ConfigError for a file that cannot be read
 */
export function readArgumentFile(path: string, warnings: string[]): readonly Word[] {
  const file = resolve(path);
  return readArguments(readFile(file).toString("utf8"), file, warnings);
}
