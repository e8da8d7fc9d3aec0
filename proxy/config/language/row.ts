/**
 * The rows of the directive table. Checks, defaults and inheritance all follow from a directive's row, so a new
 * directive is a new row and needs no other code.
 */
import type { Directive } from "./directive.ts";
import { ConfigError } from "./error.ts";
import { type Paths, type Read, member, words } from "./values.ts";

export type Context = "main" | "events" | "mail" | "server";

export interface Row<Value> {
  readonly in: readonly Context[];
  /** The number of arguments, or its least and greatest value. */
  readonly args: number | readonly [min: number, max: number];
  /** Reads one directive; `earlier` is the value so far in the same block. */
  readonly read: (directive: Directive, paths: Paths, earlier: Value | undefined) => Value;
  /** The value where no enclosing block gives one. */
  readonly default: Value;
  /** Says where Postern differs from nginx, to follow the directive's name; null where it does not differ. */
  readonly notice?: (value: Value, directive: Directive) => string | null;
}

/** A row that is checked as nginx checks it, and has no effect. */
export function inert(
  contexts: readonly Context[],
  args: Row<unknown>["args"],
  because: string,
  read: Read<unknown> = words,
): Row<unknown> {
  return {
    in: contexts,
    args,
    read: once(read),
    default: null,
    notice: () => `has no effect: ${because}`,
  };
}

// oxlint-disable-next-line typescript/no-explicit-any -- rows of every value type stand in one table
export type Rows = Readonly<Record<string, Row<any>>>;

/** The settings that rows yield: nginx's directive names, each with its row's type. */
export type Values<Table extends Rows> = {
  readonly [Name in keyof Table]: Table[Name]["default"] | ReturnType<Table[Name]["read"]>;
};

/** A directive that may stand once in a block. */
export function once<Value>(read: Read<Value>): Row<Value>["read"] {
  return (directive, paths, earlier) => {
    if (earlier !== undefined) {
      throw new ConfigError(`"${directive.name}" directive is duplicate`, directive);
    }
    return read(directive, paths);
  };
}

/** A directive that may be repeated; the last one in a block applies. */
export function lastOf<Value>(read: Read<Value>): Row<Value>["read"] {
  return (directive, paths) => read(directive, paths);
}

/** A directive that may be repeated, with one value each. A block's list replaces the outer one as a whole. */
export function eachOf<Item>(read: Read<Item>): Row<readonly Item[]>["read"] {
  return (directive, paths, earlier) => append(earlier, [read(directive, paths)]);
}

/** A directive that may be repeated, with several values each, which add up. */
export function allOf<Word>(read: Read<readonly Word[]>): Row<readonly Word[]>["read"] {
  return (directive, paths, earlier) => append(earlier, read(directive, paths));
}

/** Appends in place: copies would make a list of N directives cost N squared. */
function append<Item>(
  earlier: readonly Item[] | undefined,
  more: readonly Item[],
): readonly Item[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `append` made the list, for this block alone
  const list = (earlier ?? []) as Item[];
  list.push(...more);
  return list;
}

/** A directive that may be repeated, of a few known words. The list has the order of the table, as nginx's bit masks have. */
export function setOf(...known: readonly string[]): Row<readonly string[]>["read"] {
  return (directive, _paths, earlier = []) => {
    const given = new Set(earlier);
    for (const word of words(directive)) {
      const value = member(known, word, directive);
      if (given.has(value)) directive.diagnostics.warn(`duplicate value "${word}"`, directive);
      given.add(value);
    }
    return known.filter((word) => given.has(word));
  };
}

/** One argument or more. */
export const MANY = [1, Number.POSITIVE_INFINITY] as const;

export const MAIL = ["mail", "server"] as const satisfies readonly Context[];
