/** Files into scopes: walks the blocks, checks each directive against its row, follows `include`. */
import { globSync } from "node:fs";
import type { ByteString } from "../../../shared/lookup.ts";
import { decoded } from "../../bytes.ts";
import { environmentFile } from "../sources/environment.ts";
import { COMMAND_LINE, ConfigError, type Place } from "./error.ts";
import { fullName, readFile } from "./files.ts";
import { Diagnostics } from "./diagnostics.ts";
import { suggest } from "./suggest.ts";
import type { Directive } from "./directive.ts";
import { Parser, unexpectedEnd } from "./parser.ts";
import { type Scope, scopeAt } from "./scope.ts";
import { blocks, namesIn, row } from "../table.ts";
import { type Paths, argumentCount, text } from "./values.ts";

/** A file as it stands. */
export interface ConfigFile {
  readonly path: string;
  readonly bytes: ByteString;
}

/** Files that include each other deeper than this include themselves. */
const DEEPEST_INCLUDE = 64;

export class Reader {
  readonly diagnostics = new Diagnostics();
  /** Each file that was read, in order, but for secrets of the environment. */
  readonly files: ConfigFile[] = [];
  readonly #noticed = new Set<string>();
  readonly #opened = new Set<string>();
  readonly #paths: Paths;
  readonly #environment: Readonly<NodeJS.ProcessEnv>;

  constructor(paths: Paths, environment: Readonly<NodeJS.ProcessEnv>) {
    this.#paths = paths;
    this.#environment = environment;
  }

  /**
   * @param globals directives of the main context that come before the file (`-g`)
   * @throws ConfigError at the first mistake
   */
  read(file: string, globals: ByteString): Scope {
    const main = scopeAt("main", { file, line: 0 });
    this.#text(globals, COMMAND_LINE, main, 0);
    this.#file(file, main, 0);
    return main;
  }

  #file(file: string, scope: Scope, depth: number, from?: Place): void {
    const variable = environmentFile(file, this.#environment);
    const bytes = variable?.bytes ?? readFile(file, from).toString("latin1");
    if (variable?.secret !== true) this.files.push({ path: file, bytes });
    this.#text(bytes, file, scope, depth);
  }

  #text(bytes: ByteString, file: string, scope: Scope, depth: number): void {
    this.#block(new Parser(bytes, file, this.diagnostics), scope, "file", depth);
  }

  #block(parser: Parser, scope: Scope, until: "block" | "file", depth: number): void {
    for (;;) {
      const item = parser.next();
      if (!("end" in item)) {
        this.#directive(item, parser, scope, depth);
        continue;
      }
      if (item.end === until) return;
      throw until === "block"
        ? unexpectedEnd(item, scope)
        : new ConfigError('unexpected "}"', item);
    }
  }

  #directive(directive: Directive, parser: Parser, scope: Scope, depth: number): void {
    const { name, args, opensBlock } = directive;
    const known = row(name);
    if (opensBlock && directive.file === COMMAND_LINE) {
      throw new ConfigError("block directives are not supported in -g option", directive);
    }
    if (name === "include") this.#include(directive, scope, depth);
    else if (blocks.has(name)) this.#open(directive, parser, scope, depth);
    else if (known === undefined) this.#unknown(directive, parser, scope);
    else if (!known.in.includes(scope.context)) throw notAllowed(directive);
    else {
      const [from, to] = typeof known.args === "number" ? [known.args, known.args] : known.args;
      if (opensBlock) throw notTerminated(directive);
      if (args.length < from || args.length > to) throw argumentCount(directive);
      const value = known.read(directive, this.#paths, scope.values.get(name));
      scope.values.set(name, value);
      scope.places.set(name, directive);
      this.#notice(directive, known.instead?.(value, directive));
    }
  }

  /** Says what becomes of a directive, and nothing twice. */
  #notice(directive: Directive, instead: string | null | undefined): void {
    if (instead === null || instead === undefined) return;
    const notice = `"${directive.name}" ${instead}`;
    if (this.#noticed.has(notice)) return;
    this.#noticed.add(notice);
    this.diagnostics.note(notice, directive);
  }

  #open(directive: Directive, parser: Parser, scope: Scope, depth: number): void {
    const { name, args } = directive;
    const block = blocks.get(name);
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
    this.#block(parser, inner, "block", depth);
    const { needs } = block;
    if (needs !== undefined && !inner.values.has(needs)) {
      throw new ConfigError(`no "${needs}" is defined for ${name}`, inner);
    }
  }

  /** A block of the main context may be another module's, unless it is most likely one of ours misspelt. */
  #unknown(directive: Directive, parser: Parser, { context }: Scope): void {
    const { name } = directive;
    const others = context === "main" && directive.opensBlock;
    const near = suggest(name, others ? OUR_BLOCKS : namesIn(context));
    if (others && near === null) {
      this.#skip(directive, parser);
      return;
    }
    const advice = near === null ? null : `did you mean "${near}"?`;
    throw new ConfigError(`unknown directive "${decoded(name)}"`, directive, advice);
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
    if (depth === DEEPEST_INCLUDE) {
      throw new ConfigError(`"${given}" is included by itself`, directive);
    }
    const path = fullName(this.#paths.configuration, given);
    for (const file of isMask(given) ? matches(path) : [path]) {
      this.#file(file, scope, depth + 1, directive);
    }
  }
}

/** The blocks of the main context that are read. */
const OUR_BLOCKS = ["events", "mail"];

function isMask(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * The files that glob(3) finds. Node's glob knows `**`, braces and parentheses, too, and no way to say that
 * they mean nothing: any character may stand for the latter.
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
