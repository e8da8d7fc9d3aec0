/** `log_format` as functions, made when the configuration is read. */
import { encoded } from "../bytes.ts";
import type { LogFormat, Template } from "../config/index.ts";
import { hexadecimal, printable, printableJson } from "./line.ts";
import type { SessionRecord } from "./session-record.ts";
import { VARIABLES } from "./variables.ts";

/** Writes the line of a session in a format, without a line end. */
export function lineOf({ template, escape }: LogFormat): (record: SessionRecord) => string {
  const { written, absent } = ESCAPES[escape];
  return joined(template, (value) => (value === null ? absent : written(value)));
}

/** Evaluates `if=` as nginx does: an empty text and "0" are false. */
export function conditionOf(template: Template): (record: SessionRecord) => boolean {
  const textOf = joined(template, (value) => value ?? "");
  return (record) => {
    const text = textOf(record);
    return text !== "" && text !== "0";
  };
}

function joined(
  template: Template,
  shown: (value: string | null) => string,
): (record: SessionRecord) => string {
  const parts = template.map((part) => {
    if (typeof part === "string") return () => part;
    const value = VARIABLES[part.variable];
    return (record: SessionRecord) => shown(value(record));
  });
  return (record) => {
    let text = "";
    for (const part of parts) text += part(record);
    return text;
  };
}

/** By `escape=`: the writer of a value, and the text in place of an absent one. */
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

/** Escapes quotes, backslashes, and all that is not printable ASCII. */
function escapedBytes(value: string): string {
  return PLAIN.test(value) ? value : encoded(value).replace(/[^ !#-[\]-~]/g, hexadecimal);
}

const PLAIN = /^[ !#-[\]-~]*$/;

const SHORT: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  "\\": String.raw`\\`,
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
  "\t": String.raw`\t`,
  "\b": String.raw`\b`,
  "\f": String.raw`\f`,
};

/** nginx escapes quotes, backslashes and C0 controls (RFC 8259 section 7). It would pass DEL and all beyond ASCII. */
function escapedJson(value: string): string {
  return printableJson(value.replace(/["\\\n\r\t\b\f]/g, (char) => SHORT[char] ?? char));
}
