/** A session's line in the operator's own format. */
import { encoded } from "../bytes.ts";
import type { LogFormat, Template } from "../config/index.ts";
import { hexadecimal, printable } from "./line.ts";
import type { SessionRecord } from "./session-record.ts";
import { VARIABLES } from "./variables.ts";

export function fill({ template, escape }: LogFormat, record: SessionRecord): string {
  const { written, absent } = ESCAPES[escape];
  return join(template, record, (value) => (value === null ? absent : written(value)));
}

/** As nginx understands `if=`. */
export function isTrue(template: Template, record: SessionRecord): boolean {
  const text = join(template, record, (value) => value ?? "");
  return text !== "" && text !== "0";
}

function join(
  template: Template,
  record: SessionRecord,
  shown: (value: string | null) => string,
): string {
  return template
    .map((part) => (typeof part === "string" ? part : shown(VARIABLES[part.variable](record))))
    .join("");
}

/** How a value is written, and what stands for one that there is not. */
const ESCAPES: Readonly<
  Record<
    LogFormat["escape"],
    { readonly written: (value: string) => string; readonly absent: string }
  >
> = {
  default: { written: escapedBytes, absent: "-" },
  json: { written: escapedJson, absent: "" },
  // nginx lets a client end the line here.
  none: { written: printable, absent: "" },
};

/** Quotes, backslashes, and all that is no printable ASCII. */
function escapedBytes(value: string): string {
  return encoded(value).replace(/[^ !#-[\]-~]/g, hexadecimal);
}

const SHORT: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  "\\": String.raw`\\`,
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
  "\t": String.raw`\t`,
  "\b": String.raw`\b`,
  "\f": String.raw`\f`,
};

function escapedJson(value: string): string {
  // oxlint-disable-next-line no-control-regex -- JSON has them escaped (RFC 8259 section 7)
  return value.replace(/["\\\x00-\x1f]/g, (char) => {
    return SHORT[char] ?? hexadecimal(char).replace(String.raw`\x`, String.raw`\u00`);
  });
}
