import type { Context, Row, Rows } from "./row.ts";

interface Block {
  readonly in: Context;
  /** The context of the block's directives; `skipped` for a block of another nginx module. */
  readonly opens: Context | "skipped";
  readonly repeatable: boolean;
  /** A directive that the block must hold. */
  readonly needs?: string;
}

/** The directives and blocks that a reader accepts. */
export class Table {
  /** Every directive and block, `include` among them. */
  readonly names: readonly string[];
  readonly #rows: Rows;
  readonly #blocks: ReadonlyMap<string, Block>;

  constructor(rows: Rows, blocks: ReadonlyMap<string, Block>) {
    this.#rows = rows;
    this.#blocks = blocks;
    this.names = [...Object.keys(rows), ...blocks.keys(), "include"];
  }

  row(name: string): Row<unknown> | undefined {
    // `toString` is a property of every object, and no directive.
    return Object.hasOwn(this.#rows, name) ? this.#rows[name] : undefined;
  }

  block(name: string): Block | undefined {
    return this.#blocks.get(name);
  }

  /** The names that may stand in a context. */
  namesIn(context: Context): readonly string[] {
    return this.names.filter((name) => {
      const contexts = this.row(name)?.in ?? [this.block(name)?.in ?? context];
      return contexts.includes(context);
    });
  }

  /** The blocks of a context that are read, not skipped. */
  blocksIn(context: Context): readonly string[] {
    return [...this.#blocks]
      .filter(([, block]) => block.in === context && block.opens !== "skipped")
      .map(([name]) => name);
  }
}
