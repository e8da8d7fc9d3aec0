// The text of a BODY[section]: a part by its number, and of it the header, some fields or the text.
import { fieldName, fields, type Part } from "../mime.ts";

export function sectionText(root: Part, section: string): string | undefined {
  const [, numbers = "", what = ""] = /^((?:\d+(?:\.|$))*)(.*)$/.exec(section) ?? [];
  const path = numbers.split(".").filter(Boolean).map(Number);
  const part = path.reduce<Part | undefined>(child, root);
  if (!part) return undefined;
  if (path.length === 0) return messageText(root, what);
  if (what === "") return part.body;
  if (what === "MIME") return part.header;
  // HEADER and TEXT of a numbered part are those of the message in it.
  const [inner] = part.children;
  return part.type === "message" && inner ? messageText(inner, what) : undefined;
}

/** A part that is no multipart has one part, itself; numbers reach through a message in a message. */
function child(part: Part | undefined, number: number): Part | undefined {
  if (part?.type === "message" && part.children[0]) return child(part.children[0], number);
  return part?.type === "multipart" ? part.children[number - 1] : number === 1 ? part : undefined;
}

function messageText({ header, body }: Part, what: string): string | undefined {
  switch (what) {
    case "":
      return header + body;
    case "HEADER":
      return header;
    case "TEXT":
      return body;
    default:
      return someFields(header, what);
  }
}

function someFields(header: string, what: string): string | undefined {
  const [, not, list] = /^HEADER\.FIELDS(\.NOT)? \(([^)]*)\)$/.exec(what) ?? [];
  if (list === undefined) return undefined;
  const names = new Set(list.toLowerCase().replaceAll('"', "").split(" "));
  return `${fields(header)
    .filter((text) => names.has(fieldName(text)) === !not)
    .join("")}\r\n`;
}
