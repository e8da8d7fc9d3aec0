/** Reading the directory where it is nearest: D1's replicas follow the primary, some moments behind it. */
import type { Directory } from "./database.ts";

/** A statement of drizzle's. */
interface Query<Row> extends PromiseLike<Row[]> {
  prepare(): {
    getQuery(): { readonly sql: string; readonly params: readonly unknown[] };
    mapResult(response: unknown, isFromBatch: boolean): unknown;
  };
}

/** A session of D1's, as far as a test may have to stand in for it. */
interface Session {
  prepare(sql: string): {
    bind(...values: readonly unknown[]): {
      all(): Promise<{ readonly meta: { readonly served_by_primary?: boolean } }>;
    };
  };
}

/** What one lookup reads. */
export class Reading {
  /** Makes statements; what is asked of it directly, the primary answers. */
  readonly directory: Directory;
  readonly #session: Session;
  #mayBeBehind = false;

  /** @param session from `first-unconstrained` on, or from `first-primary` */
  constructor(directory: Directory, session: Session) {
    this.directory = directory;
    this.#session = session;
  }

  /** Whether the primary may know better than what has been read, as not all of it came from there. */
  get mayBeBehind(): boolean {
    return this.#mayBeBehind;
  }

  /** Not by drizzle, whose way to ask, `raw`, does not tell who has answered. */
  async rows<Row>(query: Query<Row>): Promise<readonly Row[]> {
    const prepared = query.prepare();
    const { sql, params } = prepared.getQuery();
    const result = await this.#session
      .prepare(distinctly(sql))
      .bind(...params)
      .all();
    if (result.meta.served_by_primary !== true) this.#mayBeBehind = true;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- they are this query's, read as it says
    return prepared.mapResult(result, true) as Row[];
  }
}

/**
 * The same rows, with a name of its own for each column, as they come as objects: SQLite tells the columns of
 * a subquery apart (`name`, `name:1`).
 */
function distinctly(select: string): string {
  return `select * from (${select})`;
}
