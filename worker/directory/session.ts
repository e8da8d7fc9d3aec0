/** Reads the directory at the nearest D1 replica. A replica lags behind the primary by some moments. */
import type { Directory } from "./database.ts";
import { orFailure } from "./failure.ts";

/** A statement of drizzle's. */
interface DrizzleQuery<Row> extends PromiseLike<Row[]> {
  prepare(): {
    getQuery(): { readonly sql: string; readonly params: readonly unknown[] };
    mapResult(response: unknown, isFromBatch: boolean): unknown;
  };
}

/** The part of D1's session that tests replace. */
interface D1Session {
  prepare(sql: string): {
    bind(...values: readonly unknown[]): {
      all(): Promise<{ readonly meta: { readonly served_by_primary?: boolean } }>;
    };
  };
}

/** The reads of one lookup. */
export class DirectorySession {
  /** Builds statements. A statement that is run on it directly goes to the primary. */
  readonly directory: Directory;
  readonly #session: D1Session;
  #mayBeStale = false;

  /** @param session begun with `first-unconstrained`, with `first-primary`, or at a bookmark */
  constructor(directory: Directory, session: D1Session) {
    this.directory = directory;
    this.#session = session;
  }

  /** True if a replica has answered, so that the primary may have newer rows. */
  get mayBeStale(): boolean {
    return this.#mayBeStale;
  }

  /**
   * Runs a query through D1 itself, since drizzle does not return which instance has answered.
   *
   * @throws DirectoryFailure
   */
  async rows<Row>(query: DrizzleQuery<Row>): Promise<readonly Row[]> {
    const prepared = query.prepare();
    const { sql, params } = prepared.getQuery();
    const statement = this.#session.prepare(withDistinctColumns(sql)).bind(...params);
    const result = await orFailure(statement.all());
    if (result.meta.served_by_primary !== true) this.#mayBeStale = true;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- drizzle maps the rows by this query's columns
    return prepared.mapResult(result, true) as Row[];
  }
}

/**
 * Wraps a statement so that its columns have distinct names, since D1 returns rows as objects. SQLite renames
 * equal columns of a subquery (`name`, `name:1`).
 */
function withDistinctColumns(select: string): string {
  return `select * from (${select})`;
}
