// Parses IMAP commands, their arguments and sequence sets (RFC 9051, 9).
import type { Wire } from "../../wire.ts";

export type Argument = string | readonly Argument[];

export type Command = { tag: string; verb: string; args: readonly Argument[] };

/** Reads one command. A literal in it becomes a quoted string, so that only one parser is needed. */
export async function readCommand(wire: Wire): Promise<Command> {
  let text = await wire.line();
  for (let announced; (announced = /\{(\d+)(\+?)\}$/.exec(text));) {
    if (!announced[2]) wire.write("+ OK\r\n");
    const bytes = await wire.bytes(Number(announced[1]));
    text = text.slice(0, announced.index) + quote(bytes) + (await wire.line());
  }
  const [tag = "", verb = "", ...args] = parse(text);
  return { tag: word(tag) || "*", verb: word(verb).toUpperCase(), args };
}

/** An atom (with its `[section]<range>`, if any), a quoted string, or a parenthesis. */
const token = /[ \t]+|"((?:[^"\\]|\\[^])*)"|([()])|([^\s()"[]+(?:\[[^\]]*\](?:<[\d.]*>)?)?)/y;

function parse(text: string): Argument[] {
  const words: Argument[] = [];
  const open: Argument[][] = [];
  let list = words;
  token.lastIndex = 0;
  for (let found; (found = token.exec(text));) {
    const [, quoted, parenthesis, atom] = found;
    if (quoted !== undefined) list.push(quoted.replaceAll(/\\([^])/g, "$1"));
    else if (atom !== undefined) list.push(atom);
    else if (parenthesis === "(") {
      const inner: Argument[] = [];
      list.push(inner);
      open.push(list);
      list = inner;
    } else if (parenthesis === ")") list = open.pop() ?? words;
  }
  return words;
}

/** The argument as one word; a list is none. */
export function word(argument: Argument | undefined): string {
  return typeof argument === "string" ? argument : "";
}

/** The argument's words, whether in a list or alone. */
export function wordsOf(argument: Argument | undefined): string[] {
  if (argument === undefined) return [];
  return typeof argument === "string" ? [argument] : argument.map(word);
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Text of any kind: NIL, a quoted string, or a literal where quotes cannot hold it. */
export function nstring(text: string | undefined): string {
  if (text === undefined) return "NIL";
  return /^[\x20-\x7e]*$/.test(text) ? quote(text) : literal(text);
}

export function literal(text: string): string {
  return `{${text.length}}\r\n${text}`;
}

/** True where a set such as `1,4:*` holds the number; `*` is the largest in the mailbox. */
export function inSet(set: string, number: number, largest: number): boolean {
  const value = (end: string) => (end === "*" ? largest : Number(end));
  return set.split(",").some((range) => {
    const [from = "", to = from] = range.split(":");
    const ends = [value(from), value(to)];
    return Math.min(...ends) <= number && number <= Math.max(...ends);
  });
}
