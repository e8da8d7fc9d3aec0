/** Reads files into scopes: checks each directive against its row, opens blocks and follows `include`. */
import { globSync } from "node:fs";
import type { ByteString } from "../../../shared/lookup.ts";
import { decoded } from "../../bytes.ts";
import { Diagnostics } from "./diagnostics.ts";
import type { Directive } from "./directive.ts";
import { COMMAND_LINE, ConfigError, type Place } from "./error.ts";
import { fullName } from "./files.ts";
import { Parser, unexpectedEnd } from "./parser.ts";
import { type Scope, scopeAt } from "./scope.ts";
import { suggest } from "./suggest.ts";
import type { Table } from "./table.ts";
import { type Paths, argumentCount, text } from "./values.ts";

export interface ConfigFile {
  readonly path: string;
  readonly bytes: ByteString;
}

/** Opens a file of the configuration; `from` is the `include` that names it. */
export type OpenFile = (
  path: string,
  from?: Place,
) => { readonly bytes: ByteString; readonly secret: boolean };

/** Files that include each other deeper than this include themselves. */
const MAX_INCLUDE_DEPTH = 64;

export class Reader {
  readonly diagnostics = new Diagnostics();
  /** Each file that was read, in order; secrets of the environment are left out. */
  readonly files: ConfigFile[] = [];
  readonly #table: Table;
  readonly #open: OpenFile;
  readonly #paths: Paths;
  readonly #noticed = new Set<string>();
  readonly #opened = new Set<string>();

  constructor(table: Table, open: OpenFile, paths: Paths) {
    this.#table = table;
    this.#open = open;
    this.#paths = paths;
  }

  /**
   * @param globals directives of the main context that come before the file (`-g`)
   * @throws ConfigError at the first mistake
   */
  read(file: string, globals: ByteString): Scope {
    const main = scopeAt("main", { file, line: 0 });
    this.#readText(globals, COMMAND_LINE, main, 0);
    this.#readFile(file, main, 0);
    return main;
  }

  #readFile(path: string, scope: Scope, depth: number, from?: Place): void {
    const { bytes, secret } = this.#open(path, from);
    if (!secret) this.files.push({ path, bytes });
    this.#readText(bytes, path, scope, depth);
  }

  #readText(bytes: ByteString, file: string, scope: Scope, depth: number): void {
    this.#readBlock(new Parser(bytes, file, this.diagnostics), scope, "file", depth);
  }

  #readBlock(parser: Parser, scope: Scope, until: "block" | "file", depth: number): void {
    for (;;) {
      const item = parser.next();
      if (!("end" in item)) {
        this.#readDirective(item, parser, scope, depth);
        continue;
      }
      if (item.end === until) return;
      throw until === "block"
        ? unexpectedEnd(item, scope)
        : new ConfigError('unexpected "}"', item);
    }
  }

  #readDirective(directive: Directive, parser: Parser, scope: Scope, depth: number): void {
    const { name, opensBlock } = directive;
    if (opensBlock && directive.file === COMMAND_LINE) {
      throw new ConfigError("block directives are not supported in -g option", directive);
    }
    if (name === "include") this.#include(directive, scope, depth);
    else if (this.#table.block(name) !== undefined) {
      this.#openBlock(directive, parser, scope, depth);
    } else if (this.#table.row(name) === undefined) this.#unknown(directive, parser, scope);
    else this.#readValue(directive, scope);
  }

  #readValue(directive: Directive, scope: Scope): void {
    const { name, args, opensBlock } = directive;
    const row = this.#table.row(name);
    if (row?.in.includes(scope.context) !== true) throw notAllowed(directive);
    const [min, max] = typeof row.args === "number" ? [row.args, row.args] : row.args;
    if (opensBlock) throw notTerminated(directive);
    if (args.length < min || args.length > max) throw argumentCount(directive);
    const value = row.read(directive, this.#paths, scope.values.get(name));
    scope.values.set(name, value);
    scope.places.set(name, directive);
    this.#notice(directive, row.notice?.(value, directive));
  }

  /** Reports the same notice only once. */
  #notice(directive: Directive, what: string | null | undefined): void {
    if (what === null || what === undefined) return;
    const notice = `"${directive.name}" ${what}`;
    if (this.#noticed.has(notice)) return;
    this.#noticed.add(notice);
    this.diagnostics.note(notice, directive);
  }

  #openBlock(directive: Directive, parser: Parser, scope: Scope, depth: number): void {
    const { name, args } = directive;
    const block = this.#table.block(name);
    if (block?.in !== scope.context) throw notAllowed(directive);
    if (!directive.opensBlock) {
      throw new ConfigError(`directive "${name}" has no opening "{"`, directive);
    }
    if (args.length > 0) throw argumentCount(directive);
    if (!block.repeatable && this.#opened.has(name)) {
      throw new ConfigError(`"${name}" directive is duplicate`, directive);
    }
    this.#opened.add(name);
    if (block.opens === "skipped") {
      this.#skip(directive, parser);
      return;
    }
    const inner = scopeAt(block.opens, directive);
    scope.inner.push(inner);
    this.#readBlock(parser, inner, "block", depth);
    const { needs } = block;
    if (needs !== undefined && !inner.values.has(needs)) {
      throw new ConfigError(`no "${needs}" is defined for ${name}`, inner);
    }
  }

  /** Skips an unknown block of the main context as another module's, unless it looks like one of ours misspelt. */
  #unknown(directive: Directive, parser: Parser, { context }: Scope): void {
    const { name } = directive;
    const mayBeSkipped = context === "main" && directive.opensBlock;
    const known = mayBeSkipped ? this.#table.blocksIn(context) : this.#table.namesIn(context);
    const suggestion = suggest(name, known);
    if (mayBeSkipped && suggestion === null) {
      this.#skip(directive, parser);
      return;
    }
    const advice = suggestion === null ? null : `did you mean "${suggestion}"?`;
    // No directive has such a name: it is a value behind a mistake, and may be a secret.
    const shown = suggestion === null ? name.replace(/[^a-z\d_\x80-\xff].*/s, "***") : name;
    throw new ConfigError(`unknown directive "${decoded(shown)}"`, directive, advice);
  }

  #skip(directive: Directive, parser: Parser): void {
    this.diagnostics.note(
      `the "${decoded(directive.name)}" block is not mail and is skipped`,
      directive,
    );
    parser.skipBlock(directive);
  }

  #include(directive: Directive, scope: Scope, depth: number): void {
    if (directive.opensBlock) throw notTerminated(directive);
    if (directive.args.length !== 1) throw argumentCount(directive);
    const given = text(directive);
    if (depth === MAX_INCLUDE_DEPTH) {
      throw new ConfigError(`"${given}" is included by itself`, directive);
    }
    const path = fullName(this.#paths.configuration, given);
    for (const file of isMask(given) ? matches(path) : [path]) {
      this.#readFile(file, scope, depth + 1, directive);
    }
  }
}

function isMask(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * Finds the files that glob(3) finds, as nginx does. Node's glob also expands `**`, braces and parentheses and
 * cannot escape them, so `*` replaces `**` and `?` replaces an opening brace or parenthesis.
 */
function matches(mask: string): readonly string[] {
  return globSync(mask.replaceAll(/\*+/g, "*").replaceAll(/[{(]/g, "?")).toSorted();
}

function notAllowed(directive: Directive): ConfigError {
  return new ConfigError(`"${directive.name}" directive is not allowed here`, directive);
}

function notTerminated(directive: Directive): ConfigError {
  return new ConfigError(`directive "${directive.name}" is not terminated by ";"`, directive);
}
