/** A block of the configuration as it was read, and what holds in it: an inner block outweighs an outer one. */
import type { Context, Rows, Values } from "./row.ts";
import { type Place, at } from "./error.ts";

/** The directives of one block, by name, and the blocks inside. */
export interface Scope extends Place {
  readonly context: Context;
  readonly values: Map<string, unknown>;
  /** Where each directive stands; the last one where it may be repeated. */
  readonly places: Map<string, Place>;
  readonly inner: Scope[];
}

export function scopeAt(context: Context, place: Place): Scope {
  return { context, values: new Map(), places: new Map(), inner: [], ...at(place) };
}

/** The innermost block's value, else an outer one's, else the row's default. */
export function resolveValues<Table extends Rows>(
  table: Table,
  scopes: readonly Scope[],
): Values<Table> {
  const values: Record<string, unknown> = {};
  for (const name in table) values[name] = table[name]?.default;
  for (const scope of scopes.toReversed()) {
    for (const [name, value] of scope.values) {
      if (Object.hasOwn(table, name)) values[name] = value;
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value was made by its row's reader
  return values as Values<Table>;
}

/** Where the directive stands that holds in the innermost block; the block's own place where none does. */
export function placeOf(name: string, scopes: readonly [inner: Scope, ...outer: Scope[]]): Place {
  const [inner] = scopes;
  const scope = scopes.find(({ places }) => places.has(name));
  return scope?.places.get(name) ?? at(inner);
}
