/** The ways of writing users down that we read and write. */
import { colonFormats } from "./colon-separated.ts";
import { csv } from "./csv.ts";
import type { Format } from "./format.ts";

export type { Format, Line, User } from "./format.ts";

export const FORMATS: readonly Format[] = [csv, ...colonFormats];

/** By the first line that is not for people only; a file of colons with any number of them is a passwd-file. */
export function formatOf(firstLine: string): Format | undefined {
  return (
    FORMATS.find((format) => format.recognises(firstLine)) ??
    (firstLine.includes(":") ? FORMATS.find(({ name }) => name === "passwd") : undefined)
  );
}
