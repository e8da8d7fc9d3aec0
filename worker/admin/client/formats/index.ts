/** The file formats for import and export. */
import { colonFormats } from "./colon-separated.ts";
import { csv } from "./csv.ts";
import type { Format } from "./format.ts";

export type { Format, Line, User } from "./format.ts";

export const FORMATS: readonly Format[] = [csv, ...colonFormats];

/** Recognises a format by the first line that is not a comment. Any other line with a colon is a passwd-file's. */
export function formatOf(firstLine: string): Format | undefined {
  return (
    FORMATS.find((format) => format.recognises(firstLine)) ??
    (firstLine.includes(":") ? FORMATS.find(({ name }) => name === "passwd") : undefined)
  );
}
