/** Stores proxies' votes on failing servers in a Durable Object. */
import type { ServerEndpoint, FailingServer } from "../directory/server-health.ts";

/** Servers on which one proxy may vote at a time. */
const MAX_VOTES = 500;

/** Proxies that must agree, if there are as many. */
const QUORUM = 2;

/** ms by which a proxy may expire too early, so that not every report causes a write. */
const TOLERANCE = 5000;

/** Characters of all reasons together. */
const MAX_REASON_LENGTH = 1000;

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

  /** Records that a proxy is alive. */
  markAlive(proxy: string, until: number): void {
    this.#sql.exec(
      `insert into proxies (name, until) values (?, ?)
       on conflict do update set until = excluded.until where excluded.until > until + ${TOLERANCE}`,
      proxy,
      until,
    );
  }

  /** A proxy's vote replaces its earlier vote on the same server. */
  cast(proxy: string, { host, port, until, why }: FailingServer): void {
    this.#sql.exec(
      `insert or replace into votes (proxy, host, port, until, why) select ?1, ?2, ?3, ?4, ?5
       where (select count(*) from votes where proxy = ?1) < ${MAX_VOTES}
       or exists (select 1 from votes where proxy = ?1 and host = ?2 and port = ?3)`,
      proxy,
      host,
      port,
      until,
      why,
    );
  }

  withdraw(proxy: string, { host, port }: ServerEndpoint): void {
    this.#sql.exec(
      "delete from votes where proxy = ? and host = ? and port = ?",
      proxy,
      host,
      port,
    );
  }

  /** Deletes expired votes and proxies. */
  expire(now: number): void {
    this.#sql.exec("delete from votes where until <= ?", now);
    this.#sql.exec("delete from proxies where until <= ?", now);
  }

  /** Lists the servers on which enough proxies agree. `until` is when one of these votes expires and too few remain. */
  agreed(): readonly FailingServer[] {
    return this.#sql
      .exec<VoteRow>(
        `select host, port, until, substr(why, 1, ${MAX_REASON_LENGTH}) as why from (
           select host, port, until, row_number() over latest as place,
             group_concat(proxy || ': ' || why, '; ') over (partition by host, port) as why
           from votes window latest as (partition by host, port order by until desc))
         where place = min(${QUORUM}, max(1, (select count(*) from proxies)))`,
      )
      .toArray();
  }

  /** When the next vote or proxy expires, ms since the epoch; null if there are no votes. */
  get nextEnd(): number | null {
    return this.#sql
      .exec<{ next: number | null }>(
        `select case when exists (select 1 from votes) then
         min((select min(until) from votes), (select min(until) from proxies)) end as next`,
      )
      .one().next;
  }
}

type VoteRow = Record<string, SqlStorageValue> & FailingServer;
