/** Blocks as they were read. A value of an inner block overrides one of an outer block. */
import { type Place, toPlace } from "./error.ts";
import type { Context, Rows, Values } from "./row.ts";

/** The directives of one block by name, and the blocks inside it. */
export interface Scope extends Place {
  readonly context: Context;
  readonly values: Map<string, unknown>;
  /** The place of each directive; the last one where it is repeated. */
  readonly places: Map<string, Place>;
  readonly inner: Scope[];
}

export function scopeAt(context: Context, place: Place): Scope {
  return { context, values: new Map(), places: new Map(), inner: [], ...toPlace(place) };
}

/** Takes each value from the innermost block that has it, else the row's default. */
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

/** Finds the directive that applies to the innermost block; without one, returns that block's own place. */
export function placeOf(name: string, scopes: readonly [inner: Scope, ...outer: Scope[]]): Place {
  const [inner] = scopes;
  const scope = scopes.find(({ places }) => places.has(name));
  return scope?.places.get(name) ?? toPlace(inner);
}
