import { DurableObject } from "cloudflare:workers";
import type {
  CounterEntry,
  CounterKey,
  FailureCount,
  FailureCounter,
  LimitedKey,
  RetractedKey,
} from "./counter.ts";
import { tally } from "./tally.ts";

/** Keys in one object, which take up to some 40 MB; 256 objects keep 5,120,000. */
const MAX_KEYS = 20_000;
/** Keys that a full object drops at once, so that the search for them is rare. */
const DROP_BATCH = 100;
/** ms between two deletions of expired keys. */
const PURGE_INTERVAL = 1000;

/** The table `failures` is of an older version. Its counts would have expired within minutes. */
const SCHEMA = `
  drop table if exists failures;
  create table if not exists counts (
    name text not null, login text not null, network text not null,
    failures integer not null, permitted integer not null, expires integer not null,
    primary key (name, login, network)
  );
  create index if not exists counts_by_expiry on counts (expires);
  create table if not exists shards (name text primary key, until integer not null);`;

/**
 * Counts failed logins for one shard of the accounts or of the networks.
 *
 * A count is read and written without an `await` between, so simultaneous failures are all counted. The counts are
 * in storage, so an evicted object loses none.
 */
export class Penalties extends DurableObject<Env> implements FailureCounter {
  readonly #sql = this.ctx.storage.sql;
  readonly #table = {
    read: (key: CounterKey) => this.#read(key),
    write: (key: LimitedKey, count: FailureCount) => this.#write(key, count),
  };
  #size: number;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#sql.exec(SCHEMA);
    this.#size = this.#count();
  }

  async tally(
    keys: readonly LimitedKey[],
    window: number,
    failed: boolean,
  ): Promise<FailureCount[]> {
    const now = Date.now();
    const { counts, added } = tally(this.#table, keys, window, failed, now);
    if (added && (await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(now + window);
    }
    return counts;
  }

  async retract(counted: readonly RetractedKey[]): Promise<void> {
    for (const { name, login, network, expires } of counted) {
      this.#sql.exec(
        `update counts set failures = failures - 1
         where name = ? and login = ? and network = ? and expires = ? and failures > 0`,
        name,
        login,
        network,
        expires,
      );
    }
  }

  async list(): Promise<CounterEntry[]> {
    const rows = this.#sql.exec<CountRow>(
      `select * from counts where failures >= permitted and expires > ?
       order by failures desc, expires desc limit 1000`,
      Date.now(),
    );
    return rows.toArray();
  }

  async lift(name: string): Promise<boolean> {
    const { rowsWritten } = this.#sql.exec("delete from counts where name = ?", name);
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
    this.#sql.exec("delete from counts where expires <= ?", now);
    this.#size = this.#count();
    const { next } = this.#sql
      .exec<{ next: number | null }>("select min(expires) as next from counts")
      .one();
    if (next !== null) await this.ctx.storage.setAlarm(Math.max(next, now + PURGE_INTERVAL));
  }

  #read({ name, login, network }: CounterKey): FailureCount | null {
    const [stored] = this.#sql.exec<CountRow>(
      "select * from counts where name = ? and login = ? and network = ?",
      name,
      login,
      network,
    );
    return stored ?? null;
  }

  #write({ name, login, network, permitted }: LimitedKey, count: FailureCount): void {
    if (count.failures === 1) this.#makeRoom();
    this.#sql.exec(
      `insert or replace into counts (name, login, network, failures, permitted, expires)
       values (?, ?, ?, ?, ?, ?)`,
      name,
      login,
      network,
      count.failures,
      permitted,
      count.expires,
    );
  }

  /** Makes room for one more key. The highest counts stay, so that a flood of names cannot hide an attack. */
  #makeRoom(): void {
    if (this.#size >= MAX_KEYS) {
      this.#sql.exec(
        `delete from counts where rowid in
         (select rowid from counts order by expires > ?, failures, expires limit ?)`,
        Date.now(),
        DROP_BATCH,
      );
      this.#size = this.#count();
    }
    this.#size += 1;
  }

  #count(): number {
    return this.#sql.exec<{ size: number }>("select count(*) as size from counts").one().size;
  }
}

type CountRow = Record<string, SqlStorageValue> & CounterEntry;
