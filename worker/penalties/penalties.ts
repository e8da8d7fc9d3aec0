import { DurableObject } from "cloudflare:workers";
import type { Entry, Ledger, Rule, Subject, Tally } from "./counter.ts";

/** Subjects that one object keeps, in some 20 MB at the most; 2,560,000 in 256 objects. */
const MOST_SUBJECTS = 10_000;
/** How many are dropped at once when it is full, so that looking for them is seldom. */
const DROPPED = 100;
/** What expires within this time is deleted together, ms. */
const PURGE_EVERY = 1000;

const SCHEMA = `
  create table if not exists failures (
    name text not null, network text not null, failures integer not null, expires integer not null,
    primary key (name, network)
  );
  create index if not exists failures_by_expiry on failures (expires);
  create table if not exists shards (name text primary key, until integer not null);`;

/**
 * Counts failed logins, for one shard of the accounts or of the networks.
 *
 * Reading and writing a tally waits for nothing, so no other call comes between: however many fail at
 * once, each of them is counted. All is in storage, so that an evicted object goes on where it was.
 */
export class Penalties extends DurableObject<Env> implements Ledger {
  readonly #sql = this.ctx.storage.sql;
  #size: number;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#sql.exec(SCHEMA);
    this.#size = this.#count();
  }

  async tally(subjects: readonly Subject[], rule: Rule, failed: boolean): Promise<Tally[]> {
    const now = Date.now();
    const tallies = subjects.map((subject) => this.#tally(subject, rule, failed, now));
    if (failed && (await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(now + rule.window);
    }
    return tallies;
  }

  async list(failures: number): Promise<Entry[]> {
    const rows = this.#sql.exec<Row>(
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
    if (next !== null) await this.ctx.storage.setAlarm(Math.max(next, now + PURGE_EVERY));
  }

  #tally({ name, network }: Subject, rule: Rule, failed: boolean, now: number): Tally {
    const [stored] = this.#sql.exec<Row>(
      "select * from failures where name = ? and network = ?",
      name,
      network,
    );
    // Of what was written before the clock was set back, or by a rule with a longer window, no more is left.
    const latest = now + rule.window;
    const tally =
      stored !== undefined && stored.expires > now
        ? { failures: stored.failures, expires: Math.min(stored.expires, latest) }
        : { failures: 0, expires: latest };
    // During a block a right password is written like a wrong one: writing takes time, which would tell.
    if (!failed && tally.failures < rule.failures) return tally;
    const failures = tally.failures + Number(failed);
    // The last permitted failure begins a block, which no later one prolongs.
    const begins = failed && failures === rule.failures;
    const expires = begins ? latest : tally.expires;
    if (stored === undefined) this.#makeRoom(now);
    this.#sql.exec(
      "insert or replace into failures (name, network, failures, expires) values (?, ?, ?, ?)",
      name,
      network,
      failures,
      expires,
    );
    return { failures: tally.failures, expires };
  }

  /** For one more. Whoever has failed most is kept: no flood of names makes us forget an attack. */
  #makeRoom(now: number): void {
    if (this.#size >= MOST_SUBJECTS) {
      this.#sql.exec(
        `delete from failures where rowid in
         (select rowid from failures order by expires > ?, failures, expires limit ?)`,
        now,
        DROPPED,
      );
      this.#size = this.#count();
    }
    this.#size += 1;
  }

  #count(): number {
    return this.#sql.exec<{ size: number }>("select count(*) as size from failures").one().size;
  }
}

type Row = Record<string, SqlStorageValue> & Entry;
