/** Counts, times, logs and records the events of a session. Telemetry only listens: it decides nothing. */
import { formatAddress } from "../../shared/address.ts";
import type { LogLevel } from "../config/index.ts";
import type { Denial, Rejection } from "../limits/index.ts";
import type { LookupReply } from "../lookup/index.ts";
import type { CacheResult, LiveSession, LoginResult, SessionState } from "../observe/index.ts";
import { TIMED_OUT, reason } from "../reason.ts";
import type { Address, SpliceReport, TlsSession } from "../transport/index.ts";
import type { Client } from "./client.ts";
import { STEPS } from "./phase-table.ts";
import { RecordBuilder, type RelayedBytes } from "./record.ts";
import type { Server } from "./server.ts";

/** The status of each rejection, in the numbers of nginx's stream module; 400 for any other. */
const STATUSES: Partial<Record<Rejection, number>> = { client_certificate: 403 };

export class SessionTelemetry {
  readonly #server: Server;
  readonly #client: Client;
  readonly #record: RecordBuilder;
  /** The start of the current attempt to log in; null while none is under way; ms. */
  #attempted: number | null = null;
  /** The start of the current lookup or upstream login, ms. */
  #since = 0;
  /** The start of the current dial, ms. */
  #dialled = 0;

  constructor(server: Server, client: Client, number: number) {
    this.#server = server;
    this.#client = client;
    this.#record = new RecordBuilder(server, client, number);
  }

  /** Writes nginx's first line of a session, the only one without a context. @param listen the listening socket */
  accepted(listen: Address): void {
    this.#record.listen = listen;
    const { errorLog, metrics, protocol } = this.#server;
    metrics.accepted(protocol.name);
    if (!errorLog.wants("info")) return;
    const { remote } = this.#client.connection;
    errorLog.write(
      "info",
      `client ${formatAddress(remote)} connected to ${formatAddress(listen)}`,
      this.#record.number,
    );
  }

  /**
   * Writes to the error log, with nginx's context behind the message.
   *
   * @param doing nginx's words for the present step; may be empty
   */
  log(level: LogLevel, message: string, doing = ""): void {
    const { errorLog } = this.#server;
    if (!errorLog.wants(level)) return;
    errorLog.write(level, `${message}${this.#record.context(doing)}`, this.#record.number);
  }

  startTls(): void {
    this.#record.startTls = true;
  }

  secured({ protocol, resumed }: TlsSession): void {
    this.#server.metrics.secured(protocol, resumed);
  }

  /** The client has taken too long. */
  timedOut(doing: string): void {
    this.log("info", `client ${TIMED_OUT}`, doing);
    this.#server.rejections.count("login_timeout");
  }

  /** The client is disconnected before its login. */
  rejected(rejection: Rejection): void {
    this.#server.rejections.count(rejection);
    this.#record.status = STATUSES[rejection] ?? 400;
  }

  /** A limit forbids the client to go on. */
  limited({ claim, note }: Denial): void {
    const kind = claim.kind === "login" ? "login_rate" : (`${claim.by}_connections` as const);
    this.#server.rejections.count(kind);
    this.log("error", note);
    this.#record.status = 503;
  }

  attempted(): void {
    this.#attempted = performance.now();
  }

  lookupStarted(): void {
    this.#since = performance.now();
  }

  lookupDone(reply: LookupReply): void {
    const { metrics, settings } = this.#server;
    const time = performance.now() - this.#since;
    this.#record.lookupTime = time;
    metrics.lookedUp(reply.kind, time);
    if (settings.auth_http_cache !== null) metrics.cached(cacheResult(reply));
  }

  /** The lookup has sent the client to a server. */
  routed(): void {
    this.#since = performance.now();
  }

  /** Messages from now on are about this server. */
  connecting(upstream: Address): void {
    this.#record.upstream(upstream);
    this.#dialled = performance.now();
  }

  connected(upstream: Address): void {
    const time = performance.now() - this.#dialled;
    this.#record.connectTime = time;
    this.#server.metrics.connected(time);
    this.connecting(upstream);
  }

  /** The attempt to log in has its result. */
  decided(result: Exclude<LoginResult, "abandoned">): void {
    this.#count(result);
    const record = this.#record;
    switch (result) {
      case "accepted":
        record.status = 200;
        record.upstreamTime = performance.now() - this.#since;
        this.log("info", "client logged in");
        break;
      case "refused":
        record.status = 403;
        break;
      case "limited":
        record.status = 503;
        break;
      case "unavailable":
        record.status = record.upstreams.length === 0 ? 500 : 502;
        break;
    }
  }

  #count(result: LoginResult): void {
    if (this.#attempted === null) return;
    const { metrics, protocol } = this.#server;
    metrics.decided(protocol.name, result, performance.now() - this.#attempted);
    this.#attempted = null;
  }

  /** A bug of Postern's. */
  fault(error: unknown): void {
    this.#record.status = 500;
    this.log("alert", `fault: ${error instanceof Error ? error.stack : String(error)}`);
  }

  kicked(): void {
    this.#record.status = 403;
    this.#server.metrics.kicked(this.#server.protocol.name);
    this.log("info", "client was kicked");
  }

  relayed(report: SpliceReport): void {
    const { end } = report;
    const { doing } = STEPS.relay;
    this.#record.relayed = report;
    if (end.by === "idle") this.log("info", `client ${TIMED_OUT}`, doing);
    if ("error" in end && end.error !== null) {
      this.log(end.by === "client" ? "info" : "error", reason(end.error), doing);
    }
    this.#server.metrics.spliced(this.#server.protocol.name, report.toUpstream, report.toClient);
    this.log("info", "proxied session done");
  }

  /** The session as it is now. @param relayed null before the login */
  live(state: SessionState, relayed: RelayedBytes | null): LiveSession {
    return this.#record.live(state, relayed);
  }

  /** Writes the session's line of the access log. @param end in words */
  ended(end: string): void {
    this.#count("abandoned");
    const { accessLog } = this.#server;
    if (accessLog.enabled) accessLog.write(this.#record.build(end));
  }
}

function cacheResult(reply: LookupReply): CacheResult {
  if (reply.kind !== "route" || reply.remembered === null) return "miss";
  return reply.remembered.instead === null ? "hit" : "stale";
}
