/** What Java programs are told on their command line, as far as it is about mail. */
import { resolve } from "node:path";
import { readFile } from "../../language/files.ts";
import { type Word, readArguments } from "./argument-file.ts";

export { type Word, readArguments } from "./argument-file.ts";
export { type JavaOutbound, type JavaProperty, readProperties } from "./properties.ts";

/** The environment variable whose words come before those of the command line, read as an argument file is. */
export const JAVA_OPTIONS = "POSTERN_JAVA_OPTS";

/**
 * @param path relative to where the command is run, as in Java
 * @throws ConfigError where it cannot be read
 */
export function readArgumentFile(path: string, warnings: string[]): readonly Word[] {
  const file = resolve(path);
  return readArguments(readFile(file).toString("utf8"), file, warnings);
}
