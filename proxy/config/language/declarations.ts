import type { Diagnostics } from "./diagnostics.ts";
import type { Directive } from "./directive.ts";

/**
 * Makes a registry for what one kind of directive declares by name and others refer to, such as log formats.
 * Each configuration that is read has its own, as each has in nginx's module contexts.
 */
export function declarations<Value>(): (directive: Directive) => Map<string, Value> {
  const all = new WeakMap<Diagnostics, Map<string, Value>>();
  return ({ diagnostics }) => all.getOrInsertComputed(diagnostics, () => new Map<string, Value>());
}
