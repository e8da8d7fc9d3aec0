import { DurableObject } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { formatAddress } from "../../shared/address.ts";
import { type HealthReport, REPORT_LIFETIME } from "../../shared/fleet.ts";
import { type Endpoint, type Failing, writeHealth } from "../directory/server-health.ts";
import { logWarning } from "../log.ts";
import { Kicks } from "./kicks.ts";
import { Lines } from "./sockets.ts";
import type { Connected, TheFleet } from "./client.ts";
import { Votes } from "./votes.ts";

/** ms by which a row may end earlier than what it is about, so that not every vote is a write. */
const TOLERANCE = 5000;

/** ms between two looks at what has expired. */
const REST = 1000;

/**
 * ms until a kick is said again: whoever came back at once may have been let in by a replica of the directory
 * that had not heard yet. Proxies then have forgotten that answer as well, and all is done within a minute.
 */
const AGAIN = 30_000;

/** What the directory holds; `until` is 0 where it may hold it or not. */
const SCHEMA = `
  create table if not exists published (
    host text not null, port integer not null, until integer not null,
    primary key (host, port)
  );`;

/**
 * Takes proxies' votes, and writes into the directory on which servers they agree; and tells proxies whose
 * sessions are to end.
 */
export class Fleet extends DurableObject<Env> implements TheFleet {
  readonly #sql = this.ctx.storage.sql;
  readonly #votes = new Votes(this.#sql);
  readonly #kicks = new Kicks(this.#sql);
  readonly #lines = new Lines(this.ctx, this.#kicks);
  #writing: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | null = null;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#sql.exec(SCHEMA);
  }

  /**
   * @param proxy by its name: it has one vote, however many processes it reports by
   * @param lifetime ms until what is said here counts no longer
   * @throws Error where the directory cannot be written; the votes are counted, and the next report tries again
   */
  async report(
    proxy: string,
    reports: readonly HealthReport[],
    lifetime = REPORT_LIFETIME,
  ): Promise<void> {
    const until = Date.now() + lifetime;
    this.#votes.greet(proxy, until);
    for (const { host, port, state, why = "" } of reports) {
      if (state === "failing") this.#votes.cast(proxy, { host, port, until, why });
      else this.#votes.withdraw(proxy, { host, port });
    }
    await this.#publish();
  }

  /** @param again ms until it is said again */
  async kick(users: readonly (readonly string[])[], again = AGAIN): Promise<void> {
    const now = Date.now();
    for (const names of users) {
      this.#lines.tell(this.#kicks.add(names, now));
      this.#kicks.repeat(names, now + again);
    }
    await this.#wakeUp(now);
  }

  async connected(): Promise<readonly Connected[]> {
    return this.#lines.connected;
  }

  async cut(proxy: string): Promise<void> {
    this.#lines.cut(proxy);
  }

  /** Opens a line to a proxy. */
  override fetch(request: Request): Response {
    return this.#lines.open(request);
  }

  override webSocketMessage(line: WebSocket, message: string | ArrayBuffer): void {
    this.#lines.hear(line, message);
  }

  /** Whoever closes waits for the answer. */
  override webSocketClose(line: WebSocket): void {
    line.close();
  }

  override alarm(): Promise<void> {
    const now = Date.now();
    for (const names of this.#kicks.takeDue(now)) this.#lines.tell(this.#kicks.add(names, now));
    return this.#publish();
  }

  /** One writes at a time, and all who come meanwhile wait for the next one, which sees what they have said. */
  #publish(): Promise<void> {
    this.#waiting ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#waiting = null;
        this.#writing = this.#write();
        return this.#writing;
      });
    return this.#waiting;
  }

  async #write(): Promise<void> {
    const now = Date.now();
    this.#votes.expire(now);
    const agreed = this.#votes.agreed();
    const published = this.#published();
    const known = new Map(published.map((row) => [formatAddress(row), row.until]));
    const news = agreed.filter((failing) => {
      const until = known.get(formatAddress(failing)) ?? 0;
      return until <= now || failing.until > until + TOLERANCE;
    });
    const still = new Set(agreed.map(formatAddress));
    const ended = published.filter((row) => !still.has(formatAddress(row)));
    if (news.length > 0 || ended.length > 0) {
      // Whoever comes after us, should we die in the midst of it, writes it again.
      for (const failing of news) this.#note({ ...failing, until: 0 });
      await writeHealth(drizzle(this.env.DB), news, ended);
      for (const failing of news) this.#note(failing);
      for (const server of ended) this.#unnote(server);
      tell(
        news.filter((failing) => !known.get(formatAddress(failing))),
        ended,
      );
    }
    await this.#wakeUp(now);
  }

  #published(): readonly (Endpoint & { readonly until: number })[] {
    return this.#sql.exec<Row>("select host, port, until from published").toArray();
  }

  #note({ host, port, until }: Omit<Failing, "why">): void {
    this.#sql.exec(
      "insert or replace into published (host, port, until) values (?, ?, ?)",
      host,
      port,
      until,
    );
  }

  #unnote({ host, port }: Endpoint): void {
    this.#sql.exec("delete from published where host = ? and port = ?", host, port);
  }

  /** When the next vote, row or proxy is to be forgotten, or a kick to be said again. */
  async #wakeUp(now: number): Promise<void> {
    const ends = this.#published().map(({ until }) => until);
    const times = [this.#votes.nextEnd, this.#kicks.nextDue, ...ends];
    const next = Math.min(...times.filter((time) => time !== null));
    if (next === Number.POSITIVE_INFINITY) return;
    const due = Math.max(next, now + REST);
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null || alarm > due) await this.ctx.storage.setAlarm(due);
  }
}

type Row = Record<string, SqlStorageValue> & Endpoint & { until: number };

function tell(begun: readonly Failing[], ended: readonly Endpoint[]): void {
  for (const { why, ...server } of begun) {
    logWarning(`lookups keep away from ${formatAddress(server)}`, { why });
  }
  for (const server of ended) logWarning(`lookups name ${formatAddress(server)} again`);
}
