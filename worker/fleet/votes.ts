/** Who says that a server fails, in the storage of a Durable Object. */
import type { Endpoint, Failing } from "../directory/server-health.ts";

/** Servers that one proxy may vote on at a time. */
const MOST_VOTES = 500;

/** Proxies that must agree, where there are as many. */
const QUORUM = 2;

/** ms by which the presence of a proxy may be remembered less long, so that not every hello is a write. */
const TOLERANCE = 5000;

/** Characters of what all of them say. */
const LONGEST_WHY = 1000;

const SCHEMA = `
  create table if not exists proxies (name text primary key, until integer not null);
  create table if not exists votes (
    proxy text not null, host text not null, port integer not null,
    until integer not null, why text not null,
    primary key (proxy, host, port)
  );`;

export class Votes {
  readonly #sql: SqlStorage;

  constructor(storage: SqlStorage) {
    this.#sql = storage;
    storage.exec(SCHEMA);
  }

  /** A proxy is there, whatever it has to say. */
  greet(proxy: string, until: number): void {
    this.#sql.exec(
      `insert into proxies (name, until) values (?, ?)
       on conflict do update set until = excluded.until where excluded.until > until + ${TOLERANCE}`,
      proxy,
      until,
    );
  }

  /** One for each proxy and server: a later one takes the place of an earlier one. */
  cast(proxy: string, { host, port, until, why }: Failing): void {
    this.#sql.exec(
      `insert or replace into votes (proxy, host, port, until, why) select ?1, ?2, ?3, ?4, ?5
       where (select count(*) from votes where proxy = ?1) < ${MOST_VOTES}
       or exists (select 1 from votes where proxy = ?1 and host = ?2 and port = ?3)`,
      proxy,
      host,
      port,
      until,
      why,
    );
  }

  withdraw(proxy: string, { host, port }: Endpoint): void {
    this.#sql.exec(
      "delete from votes where proxy = ? and host = ? and port = ?",
      proxy,
      host,
      port,
    );
  }

  /** Forgets votes, and proxies, whose time is over. */
  expire(now: number): void {
    this.#sql.exec("delete from votes where until <= ?", now);
    this.#sql.exec("delete from proxies where until <= ?", now);
  }

  /** The servers on which enough of those that are not forgotten agree, each until they no longer would. */
  agreed(): readonly Failing[] {
    return this.#sql
      .exec<Row>(
        `select host, port, until, substr(why, 1, ${LONGEST_WHY}) as why from (
           select host, port, until, row_number() over latest as place,
             group_concat(proxy || ': ' || why, '; ') over (partition by host, port) as why
           from votes window latest as (partition by host, port order by until desc))
         where place = min(${QUORUM}, max(1, (select count(*) from proxies)))`,
      )
      .toArray();
  }

  /** When there will be something to forget, ms since the epoch; null while nobody says anything. */
  get nextEnd(): number | null {
    return this.#sql
      .exec<{ next: number | null }>(
        `select case when exists (select 1 from votes) then
         min((select min(until) from votes), (select min(until) from proxies)) end as next`,
      )
      .one().next;
  }
}

type Row = Record<string, SqlStorageValue> & Failing;
