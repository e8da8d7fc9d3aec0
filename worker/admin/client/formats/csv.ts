/** CSV of RFC 4180 with a row on each line: `address,hash,group`, or with a heading that names its columns. */
import { UsageError } from "../errors.ts";
import type { Format, Line, User } from "./format.ts";

/** The columns by their names in a heading. */
const COLUMNS: Readonly<Record<string, keyof User>> = {
  address: "address",
  hash: "passwordHash",
  group: "group",
  server: "server",
  enabled: "enabled",
  imap: "imap",
  pop3: "pop3",
  smtp: "smtp",
  upstreamlogin: "upstreamLogin",
};

/** The names of other systems for the same columns. */
const SYNONYMS: Readonly<Record<string, keyof User>> = {
  email: "address",
  user: "address",
  username: "address",
  password: "passwordHash",
  passwordhash: "passwordHash",
};

const DEFAULT: readonly (keyof User)[] = ["address", "passwordHash", "group"];

const FLAGS: ReadonlySet<keyof User> = new Set(["enabled", "imap", "pop3", "smtp"]);

export const csv: Format = {
  name: "csv",
  recognises: (line) => /^"(?:[^"]|"")*"(?:,|$)|^[^:]*,/.test(line),
  reader: (firstLine) => {
    const heading = columnsOf(firstLine);
    return (line) =>
      heading !== null && line === firstLine ? null : read(line, heading ?? DEFAULT);
  },
  heading: Object.keys(COLUMNS).join(","),
  write: (user) =>
    Object.values(COLUMNS)
      .map((column) => quote(String(user[column] ?? "")))
      .join(","),
};

/**
 * Reads a heading.
 *
 * @returns null where the line is not a heading
 * @throws UsageError where the heading has an unknown column
 */
function columnsOf(line: string): readonly (keyof User)[] | null {
  const words = fieldsOf(line)?.map((word) => word.trim().toLowerCase()) ?? [];
  const columns = words.map((word) => COLUMNS[word] ?? SYNONYMS[word]);
  if (!columns.includes("address") || !columns.includes("passwordHash")) return null;
  return columns.map((column, index) => {
    if (column !== undefined) return column;
    const known = Object.keys(COLUMNS).join(", ");
    throw new UsageError(
      `the heading has the unknown column "${words[index]}"; the columns are ${known}`,
    );
  });
}

function read(line: string, columns: readonly (keyof User)[]): Line {
  if (line.trim() === "") return null;
  const fields = fieldsOf(line);
  if (fields === null) return { refused: "a quotation mark is misplaced" };
  if (fields.length > columns.length) {
    return { refused: `the line has ${fields.length} fields for ${columns.length} columns` };
  }
  const values = new Map<string, string>();
  for (const [index, column] of columns.entries()) values.set(column, fields[index] ?? "");
  const { address = "", passwordHash = "", ...rest } = Object.fromEntries(values);
  if (address === "") return { refused: "there is no address" };
  if (passwordHash === "") return { refused: `${address}: there is no hash` };
  const given = Object.entries(rest).filter(([, value]) => value !== "");
  for (const [column, value] of given) {
    if (isFlag(column) && !["true", "false"].includes(value)) {
      return { refused: `${address}: ${column} must be true or false` };
    }
  }
  const typed = given.map(([column, value]) => [column, isFlag(column) ? value === "true" : value]);
  return { user: { address, passwordHash, ...Object.fromEntries(typed) } };
}

function isFlag(column: string): boolean {
  return [...FLAGS].some((flag) => flag === column);
}

/** One field, with the comma before it. This stays by hand: rows are lines, and a CSV library would save five lines. */
const FIELD = /,(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/gy;

/** @returns null where a quotation mark is misplaced */
function fieldsOf(line: string): string[] | null {
  const text = `,${line}`;
  const matches = [...text.matchAll(FIELD)];
  const length = matches.reduce((sum, [all]) => sum + all.length, 0);
  if (length !== text.length) return null;
  return matches.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}

function quote(text: string): string {
  // A line that begins with a number sign would be a comment.
  return /[",]|^#/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
