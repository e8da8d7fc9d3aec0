import { DurableObject } from "cloudflare:workers";
import type {
  CounterEntry,
  FailureCounter,
  FailureLimit,
  CounterKey,
  FailureCount,
} from "./counter.ts";

/** Keys in one object, which take up to some 20 MB; 256 objects keep 2,560,000. */
const MAX_KEYS = 10_000;
/** Keys that a full object drops at once, so that the search for them is rare. */
const DROP_BATCH = 100;
/** ms between two deletions of expired keys. */
const PURGE_INTERVAL = 1000;

const SCHEMA = `
  create table if not exists failures (
    name text not null, network text not null, failures integer not null, expires integer not null,
    primary key (name, network)
  );
  create index if not exists failures_by_expiry on failures (expires);
  create table if not exists shards (name text primary key, until integer not null);`;

/**
 * Counts failed logins for one shard of the accounts or of the networks.
 *
 * A count is read and written without an `await` between, so simultaneous failures are all counted. The counts are
 * in storage, so an evicted object loses none.
 */
export class Penalties extends DurableObject<Env> implements FailureCounter {
  readonly #sql = this.ctx.storage.sql;
  #size: number;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#sql.exec(SCHEMA);
    this.#size = this.#count();
  }

  async tally(
    keys: readonly CounterKey[],
    limit: FailureLimit,
    failed: boolean,
  ): Promise<FailureCount[]> {
    const now = Date.now();
    const counts = keys.map((key) => this.#tally(key, limit, failed, now));
    if (failed && (await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(now + limit.window);
    }
    return counts;
  }

  async list(failures: number): Promise<CounterEntry[]> {
    const rows = this.#sql.exec<FailureRow>(
      `select * from failures where failures >= ? and expires > ?
       order by failures desc, expires desc limit 1000`,
      failures,
      Date.now(),
    );
    return rows.toArray();
  }

  async lift(name: string): Promise<boolean> {
    const { rowsWritten } = this.#sql.exec("delete from failures where name = ?", name);
    this.#size = this.#count();
    return rowsWritten > 0;
  }

  async note(shard: string, until: number): Promise<void> {
    this.#sql.exec(
      `insert into shards (name, until) values (?, ?)
       on conflict (name) do update set until = max(until, excluded.until)`,
      shard,
      until,
    );
  }

  async noted(): Promise<string[]> {
    this.#sql.exec("delete from shards where until <= ?", Date.now());
    const rows = this.#sql.exec<{ name: string }>("select name from shards");
    return rows.toArray().map(({ name }) => name);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#sql.exec("delete from failures where expires <= ?", now);
    this.#size = this.#count();
    const { next } = this.#sql
      .exec<{ next: number | null }>("select min(expires) as next from failures")
      .one();
    if (next !== null) await this.ctx.storage.setAlarm(Math.max(next, now + PURGE_INTERVAL));
  }

  #tally(
    { name, network }: CounterKey,
    limit: FailureLimit,
    failed: boolean,
    now: number,
  ): FailureCount {
    const [stored] = this.#sql.exec<FailureRow>(
      "select * from failures where name = ? and network = ?",
      name,
      network,
    );
    // An expiry that was written before the clock was set back, or with a longer window, is cut to this one.
    const latest = now + limit.window;
    const count =
      stored !== undefined && stored.expires > now
        ? { failures: stored.failures, expires: Math.min(stored.expires, latest) }
        : { failures: 0, expires: latest };
    // During a block a right password causes a write like a wrong one, so that time does not tell them apart.
    if (!failed && count.failures < limit.failures) return count;
    const failures = count.failures + Number(failed);
    // The last permitted failure begins a block. Later failures do not prolong it.
    const begins = failed && failures === limit.failures;
    const expires = begins ? latest : count.expires;
    if (stored === undefined) this.#makeRoom(now);
    this.#sql.exec(
      "insert or replace into failures (name, network, failures, expires) values (?, ?, ?, ?)",
      name,
      network,
      failures,
      expires,
    );
    return { failures: count.failures, expires };
  }

  /** Makes room for one more key. The highest counts stay, so that a flood of names cannot hide an attack. */
  #makeRoom(now: number): void {
    if (this.#size >= MAX_KEYS) {
      this.#sql.exec(
        `delete from failures where rowid in
         (select rowid from failures order by expires > ?, failures, expires limit ?)`,
        now,
        DROP_BATCH,
      );
      this.#size = this.#count();
    }
    this.#size += 1;
  }

  #count(): number {
    return this.#sql.exec<{ size: number }>("select count(*) as size from failures").one().size;
  }
}

type FailureRow = Record<string, SqlStorageValue> & CounterEntry;
