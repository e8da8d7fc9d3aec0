// FETCH: each data item a client may ask of a message.
import { parse, type Part } from "../mime.ts";
import { bodyStructure, envelope } from "./structure.ts";
import { sectionText } from "./section.ts";
import { literal } from "./syntax.ts";
import type { Numbered, View } from "./view.ts";

const macros: Record<string, string[]> = {
  FAST: ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
  ALL: ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"],
  FULL: ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"],
};

/** `BODY[section]<range>`, or one of its older names. */
const section = /^BODY(?:\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?$/i;
const olderNames: Record<string, string> = {
  RFC822: "",
  "RFC822.HEADER": "HEADER",
  "RFC822.TEXT": "TEXT",
};

/** The untagged FETCH line with the items asked for. */
export function fetchLine(
  view: View,
  { number, message }: Numbered,
  asked: readonly string[],
): string {
  const items = asked.flatMap((item) => macros[item.toUpperCase()] ?? item.toUpperCase());
  const seenBefore = message.flags.has("\\Seen");
  if (!view.readOnly && items.some(marksSeen)) message.flags.add("\\Seen");
  if (!seenBefore && message.flags.has("\\Seen") && !items.includes("FLAGS")) items.push("FLAGS");

  const root = parse(message.content);
  const values = items.map((item) => value(item, { number, message }, root));
  return `* ${number} FETCH (${values.filter(Boolean).join(" ")})\r\n`;
}

function value(item: string, { message }: Numbered, root: Part): string {
  switch (item) {
    case "UID":
      return `UID ${message.uid}`;
    case "FLAGS":
      return `FLAGS (${[...message.flags].join(" ")})`;
    case "RFC822.SIZE":
      return `RFC822.SIZE ${message.content.length}`;
    case "INTERNALDATE":
      return `INTERNALDATE "${internalDate(message.received)}"`;
    case "ENVELOPE":
      return `ENVELOPE ${envelope(root)}`;
    case "BODY":
      return `BODY ${bodyStructure(root, "basic")}`;
    case "BODYSTRUCTURE":
      return `BODYSTRUCTURE ${bodyStructure(root, "extended")}`;
    default:
      return sectionValue(item, root);
  }
}

/** Nothing for an item that is not known, or a part that the message has not. */
function sectionValue(item: string, root: Part): string {
  const older = olderNames[item];
  if (older !== undefined) return `${item} ${literal(sectionText(root, older) ?? "")}`;
  const [, name, start, length] = section.exec(item) ?? [];
  if (name === undefined) return "";
  const text = sectionText(root, name);
  if (start === undefined) return `BODY[${name}] ${text === undefined ? "NIL" : literal(text)}`;
  const range = (text ?? "").slice(Number(start), Number(start) + Number(length));
  return `BODY[${name}]<${start}> ${literal(range)}`;
}

function marksSeen(item: string): boolean {
  return item.startsWith("BODY[") || item === "RFC822" || item === "RFC822.TEXT";
}

function internalDate(date: Date): string {
  const [, day, month, year, time] = /, (\d+) (\w+) (\d+) (\S+)/.exec(date.toUTCString()) ?? [];
  return `${day}-${month}-${year} ${time} +0000`;
}
