/**
 * What a row of the directive table says. Checking, defaults and inheritance all follow from the rows:
 * a new directive is a new row, never a new code path.
 */
import { ConfigError } from "./error.ts";
import type { Directive } from "./directive.ts";
import { type Paths, type Read, member, words } from "./values.ts";

export type Context = "main" | "events" | "mail" | "server";

export interface Row<Value> {
  readonly in: readonly Context[];
  /** How many arguments: exactly so many, or from and to. */
  readonly args: number | readonly [from: number, to: number];
  /** Reads one directive; `earlier` is what stands in the same block already. */
  readonly read: (directive: Directive, paths: Paths, earlier: Value | undefined) => Value;
  /** The value where no enclosing block gives one. */
  readonly default: Value;
  /** What Postern does where it does not do what nginx does: said when the directive is read, the same only once. */
  readonly instead?: (value: Value, directive: Directive) => string | null;
}

/** A row that is accepted as nginx accepts it, and has no effect. */
export function inert(
  contexts: readonly Context[],
  args: Row<unknown>["args"],
  why: string,
  read: Read<unknown> = words,
): Row<unknown> {
  return {
    in: contexts,
    args,
    read: once(read),
    default: null,
    instead: () => `has no effect: ${why}`,
  };
}

// oxlint-disable-next-line typescript/no-explicit-any -- rows of every value type stand in one table
export type Rows = Readonly<Record<string, Row<any>>>;

/** The settings that a table yields: nginx's directive names, each with its row's type. */
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

/** A directive of which the last one in a block counts. */
export function lastOf<Value>(read: Read<Value>): Row<Value>["read"] {
  return (directive, paths) => read(directive, paths);
}

/** A directive that may be repeated; a block's list replaces the outer one as a whole. */
export function eachOf<Item>(read: Read<Item>): Row<readonly Item[]>["read"] {
  return (directive, paths, earlier) => grown(earlier, [read(directive, paths)]);
}

/** A repeatable directive of several values each, added up. */
export function allOf<Word>(read: Read<readonly Word[]>): Row<readonly Word[]>["read"] {
  return (directive, paths, earlier) => grown(earlier, read(directive, paths));
}

/** A block's list grows in place, since copies would make a long one cost its square. */
function grown<Item>(earlier: readonly Item[] | undefined, more: readonly Item[]): readonly Item[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it was made here, for this block alone
  const list = (earlier ?? []) as Item[];
  list.push(...more);
  return list;
}

/** A repeatable directive of a few known words; the table's order is the list's, whatever the file's. */
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

/** Arguments without end. */
export const MANY = [1, Number.POSITIVE_INFINITY] as const;

export const MAIL = ["mail", "server"] as const satisfies readonly Context[];
