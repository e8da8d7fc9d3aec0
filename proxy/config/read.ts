/** Files into scopes: walks the blocks, checks each directive against its row, follows `include`. */
import { globSync } from "node:fs";
import { resolve } from "node:path";
import { closest } from "fastest-levenshtein";
import type { Context } from "./directive.ts";
import { COMMAND_LINE, ConfigError, type Place, shown } from "./error.ts";
import { readText } from "./files.ts";
import { type Directive, Parser, unexpectedEnd } from "./parser.ts";
import { blocks, names, row } from "./table.ts";
import { type Paths, argumentCount } from "./values.ts";

/** The directives of one block, by name, and the blocks inside. */
export interface Scope extends Place {
  readonly context: Context;
  readonly values: Map<string, unknown>;
  readonly inner: Scope[];
}

/** A file as it stands. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** Files that include each other deeper than this include themselves. */
const DEEPEST_INCLUDE = 64;

export class Reader {
  readonly notices: string[] = [];
  /** Each file that was read, in order. */
  readonly files: ConfigFile[] = [];
  readonly #noticed = new Set<string>();
  readonly #paths: Paths;

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  /**
   * @param globals directives of the main context that come before the file (`-g`)
   * @throws ConfigError at the first mistake
   */
  read(file: string, globals: string): Scope {
    const main: Scope = { context: "main", values: new Map(), inner: [], file, line: 0 };
    this.#text(globals, COMMAND_LINE, main, 0);
    this.#file(file, main, 0);
    return main;
  }

  #file(file: string, scope: Scope, depth: number, from?: Place): void {
    const text = readText(file, from);
    this.files.push({ path: file, text });
    this.#text(text, file, scope, depth);
  }

  #text(text: string, file: string, scope: Scope, depth: number): void {
    this.#block(new Parser(text, file), scope, "file", depth);
  }

  #block(parser: Parser, scope: Scope, until: "block" | "file", depth: number): void {
    for (;;) {
      const item = parser.next();
      if (!("end" in item)) {
        this.#directive(item, parser, scope, depth);
        continue;
      }
      if (item.end === until) return;
      throw until === "block" ? unexpectedEnd(item) : new ConfigError('unexpected "}"', item);
    }
  }

  #directive(directive: Directive, parser: Parser, scope: Scope, depth: number): void {
    const { name, args } = directive;
    const block = blocks.get(name);
    const known = row(name);
    if (name === "include") this.#include(directive, scope, depth);
    else if (block !== undefined) this.#open(directive, parser, scope, depth);
    else if (known === undefined) {
      throw new ConfigError(
        `unknown directive "${name}", did you mean "${closest(name, [...names])}"?`,
        directive,
      );
    } else if (!known.in.includes(scope.context)) throw notAllowed(directive);
    else {
      const [from, to] = typeof known.args === "number" ? [known.args, known.args] : known.args;
      if (directive.opensBlock) {
        throw new ConfigError(`directive "${name}" is not terminated by ";"`, directive);
      }
      if (args.length < from || args.length > to) throw argumentCount(directive);
      const value = known.read(directive, this.#paths, scope.values.get(name));
      scope.values.set(name, value);
      this.#notice(directive, known.instead?.(value));
    }
  }

  /** Says once of a directive what becomes of it. */
  #notice(directive: Directive, instead: string | null | undefined): void {
    const { name } = directive;
    if (instead === null || instead === undefined || this.#noticed.has(name)) return;
    this.#noticed.add(name);
    this.notices.push(`"${name}" ${instead} in ${shown(directive)}`);
  }

  #open(directive: Directive, parser: Parser, scope: Scope, depth: number): void {
    const { name, args, file, line } = directive;
    const block = blocks.get(name);
    if (block?.in !== scope.context) throw notAllowed(directive);
    if (file === COMMAND_LINE) {
      throw new ConfigError("block directives are not supported in -g option", directive);
    }
    if (!directive.opensBlock) {
      throw new ConfigError(`directive "${name}" has no opening "{"`, directive);
    }
    if (args.length > 0) throw argumentCount(directive);
    if (block.opens === "skipped") {
      this.notices.push(`the "${name}" block is not mail and is skipped in ${shown(directive)}`);
      parser.skipBlock();
      return;
    }
    const inner: Scope = { context: block.opens, values: new Map(), inner: [], file, line };
    if (!block.repeatable && scope.inner.some(({ context }) => context === inner.context)) {
      throw new ConfigError(`"${name}" directive is duplicate`, directive);
    }
    scope.inner.push(inner);
    this.#block(parser, inner, "block", depth);
  }

  #include(directive: Directive, scope: Scope, depth: number): void {
    const [given] = directive.args;
    if (given === undefined || directive.args.length > 1) throw argumentCount(directive);
    if (directive.opensBlock) {
      throw new ConfigError('directive "include" is not terminated by ";"', directive);
    }
    if (depth === DEEPEST_INCLUDE) {
      throw new ConfigError(`"${given}" is included by itself`, directive);
    }
    const path = resolve(this.#paths.configuration, given);
    const files = /[*?[]/.test(path) ? globSync(path).toSorted() : [path];
    for (const file of files) this.#file(file, scope, depth + 1, directive);
  }
}

function notAllowed(directive: Directive): ConfigError {
  return new ConfigError(`"${directive.name}" directive is not allowed here`, directive);
}
