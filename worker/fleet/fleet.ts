import { DurableObject } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { formatAddress } from "../../shared/address.ts";
import { type HealthReport, REPORT_LIFETIME } from "../../shared/fleet.ts";
import {
  type ServerEndpoint,
  type FailingServer,
  writeHealth,
} from "../directory/server-health.ts";
import { tokenExists } from "../directory/tokens.ts";
import { describe, logError, logWarning } from "../log/log.ts";
import { collectRevocations } from "./collect.ts";
import { Kicks } from "./kicks.ts";
import { SharedRun } from "./shared-run.ts";
import { ProxySockets } from "./sockets.ts";
import type { ConnectedProxy, FleetStub } from "./client.ts";
import { Votes } from "./votes.ts";

/** ms by which a row may expire too early, so that not every vote causes a write. */
const TOLERANCE = 5000;

/** ms between two alarms. */
const ALARM_INTERVAL = 1000;

/** The rows in the directory. `until` is 0 while a row may or may not have been written. */
const SCHEMA = `
  create table if not exists published (
    host text not null, port integer not null, until integer not null,
    primary key (host, port)
  );`;

/** Counts proxies' votes on failing servers, writes the agreed ones into the directory, and sends kicks to proxies. */
export class Fleet extends DurableObject<Env> implements FleetStub {
  readonly #sql = this.ctx.storage.sql;
  readonly #votes = new Votes(this.#sql);
  readonly #kicks = new Kicks(this.#sql);
  readonly #sockets = new ProxySockets(this.ctx, this.#kicks, (digest) =>
    tokenExists(drizzle(this.env.DB), digest),
  );
  /** Reports that arrive during a write share the next one. */
  readonly #publishing = new SharedRun(() => this.#publish());
  readonly #collecting = new SharedRun(() => this.#collect());

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#sql.exec(SCHEMA);
  }

  /**
   * @param proxy the proxy's name. All processes of a proxy have one vote together.
   * @param lifetime ms until the reports expire
   * @throws Error if the directory cannot be written; the votes are counted, and the next report writes again
   */
  async report(
    proxy: string,
    reports: readonly HealthReport[],
    lifetime = REPORT_LIFETIME,
  ): Promise<void> {
    const until = Date.now() + lifetime;
    this.#votes.markAlive(proxy, until);
    for (const { host, port, state, why = "" } of reports) {
      if (state === "failing") this.#votes.cast(proxy, { host, port, until, why });
      else this.#votes.withdraw(proxy, { host, port });
    }
    await this.#publishing.run();
  }

  collect(): Promise<void> {
    return this.#collecting.run();
  }

  async connected(): Promise<readonly ConnectedProxy[]> {
    return this.#sockets.connected;
  }

  async disconnect(proxy: string): Promise<void> {
    this.#sockets.disconnect(proxy);
  }

  /** Accepts a proxy's WebSocket. */
  override async fetch(request: Request): Promise<Response> {
    const response = await this.#sockets.open(request);
    await this.#setAlarm(Date.now());
    return response;
  }

  /** A revocation that the worker could not hand over, or that was made by SQL, waits for the next presence. */
  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    try {
      await this.collect();
    } catch (error) {
      logError("revocations cannot be read from the directory", { reason: describe(error) });
    }
    await this.#sockets.receive(socket, message);
  }

  /** A peer that closes waits for the close of this side. */
  override webSocketClose(socket: WebSocket): void {
    socket.close();
  }

  override alarm(): Promise<void> {
    this.#sockets.closeExpired(Date.now());
    return this.#publishing.run();
  }

  #collect(): Promise<void> {
    return collectRevocations(this.env.DB, (revocation) => {
      this.#sockets.broadcast(this.#kicks.add(revocation, Date.now()));
    });
  }

  async #publish(): Promise<void> {
    const now = Date.now();
    this.#votes.expire(now);
    const agreed = this.#votes.agreed();
    const published = this.#published();
    const known = new Map(published.map((row) => [formatAddress(row), row.until]));
    const changed = agreed.filter((failing) => {
      const until = known.get(formatAddress(failing)) ?? 0;
      return until <= now || failing.until > until + TOLERANCE;
    });
    const agreedAddresses = new Set(agreed.map(formatAddress));
    const ended = published.filter((row) => !agreedAddresses.has(formatAddress(row)));
    if (changed.length > 0 || ended.length > 0) {
      // If the object dies before the second note, its successor writes the row again.
      for (const failing of changed) this.#note({ ...failing, until: 0 });
      await writeHealth(drizzle(this.env.DB), changed, ended);
      for (const failing of changed) this.#note(failing);
      for (const server of ended) this.#unnote(server);
      logChanges(
        changed.filter((failing) => !known.get(formatAddress(failing))),
        ended,
      );
    }
    await this.#setAlarm(now);
  }

  #published(): readonly (ServerEndpoint & { readonly until: number })[] {
    return this.#sql.exec<PublishedRow>("select host, port, until from published").toArray();
  }

  #note({ host, port, until }: Omit<FailingServer, "why">): void {
    this.#sql.exec(
      "insert or replace into published (host, port, until) values (?, ?, ?)",
      host,
      port,
      until,
    );
  }

  #unnote({ host, port }: ServerEndpoint): void {
    this.#sql.exec("delete from published where host = ? and port = ?", host, port);
  }

  /** Sets the alarm for the next expiry of a vote, row, proxy or token. */
  async #setAlarm(now: number): Promise<void> {
    const ends = this.#published().map(({ until }) => until);
    const times = [this.#votes.nextEnd, ...ends];
    const next = Math.min(...times.filter((time) => time !== null));
    const expiry = this.#sockets.nextExpiry(now) ?? Number.POSITIVE_INFINITY;
    const due = Math.min(expiry, Math.max(next, now + ALARM_INTERVAL));
    if (due === Number.POSITIVE_INFINITY) return;
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null || alarm > due) await this.ctx.storage.setAlarm(due);
  }
}

type PublishedRow = Record<string, SqlStorageValue> & ServerEndpoint & { until: number };

function logChanges(begun: readonly FailingServer[], ended: readonly ServerEndpoint[]): void {
  for (const { why, ...server } of begun) {
    logWarning(`lookups avoid ${formatAddress(server)}`, { why });
  }
  for (const server of ended) logWarning(`lookups use ${formatAddress(server)} again`);
}
