/** What is remembered of a session for the logs: who, from where, how long, how it ended. Never a password. */
import { formatAddress } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type { LogLevel } from "../config/index.ts";
import type { Refusal } from "../limits/index.ts";
import type { Answer } from "../lookup/index.ts";
import { TIMED_OUT, reason } from "../reason.ts";
import type { Address, SpliceReport } from "../transport/index.ts";
import {
  type CacheResult,
  type LiveSession,
  type LoginResult,
  type SessionState,
  clipped,
} from "../observe/index.ts";
import type { Client } from "./client.ts";
import type { Outcome } from "./outcome.ts";
import type { TurnedAway } from "./secure.ts";
import type { Server } from "./server.ts";

/** nginx's words for what a session was doing, by its phase. */
export const ACTIONS = {
  handshake: "SSL handshaking",
  commands: "in auth state",
  blocked: "in auth state",
  header: "reading PROXY protocol",
  naming: "in resolving client address",
  address: "in resolving client address",
  hostname: "in resolving client hostname",
  delay: "in delay pipelining state",
  starttls: "in starttls state",
  attempt: "in http auth state",
  waiting: "in http auth state",
  proxying: "proxying",
} as const;

/** The status of one who is sent away, as nginx's stream module has it, where it is not 400. */
const STATUSES: ReadonlyMap<Refusal | null, number> = new Map([
  ["client_certificate", 403],
  // A limit's.
  [null, 503],
]);

type Moved = Pick<SpliceReport, "toUpstream" | "toClient">;

/** How sessions end, in words. */
export const ENDS = {
  kicked: "kicked",
  left: "the client closed the connection",
  late: "the client timed out",
} as const;

export class Story {
  readonly #server: Server;
  readonly #client: Client;
  /** Asked now: of a socket that has closed it can no longer be told. */
  readonly #local: Address;
  readonly #number: number;
  readonly #start = performance.now();
  #startTls = false;
  #serverName = "";
  #attempts = 0;
  /** As the client typed it, and as upstreams are to hear it. */
  #typed: ByteString | null = null;
  #login: ByteString | null = null;
  /** Those that were tried, in order. */
  readonly #upstreams: string[] = [];
  /** When the current attempt, the current lookup or upstream login, and the current dial began; ms. */
  #attempted: number | null = null;
  #since = 0;
  #dialling = 0;
  /** How long the last ones took. */
  #lookupTime: number | null = null;
  #connectTime: number | null = null;
  #upstreamTime: number | null = null;
  #loggedIn = false;
  #kicked = false;
  /** As nginx's stream module has it. */
  #status = 200;
  #received = 0;
  #sent = 0;

  constructor(server: Server, client: Client, number: number) {
    this.#server = server;
    this.#client = client;
    this.#local = client.connection.local;
    this.#number = number;
  }

  get endpoint(): string {
    return formatAddress(this.#server.settings.auth_http);
  }

  /**
   * nginx's first line of a session, the only one without its context.
   *
   * @param listen where the socket listens, which is how nginx names the server
   */
  began(listen: Address): void {
    this.#serverName = formatAddress(listen);
    const { errorLog, metrics, protocol } = this.#server;
    metrics.accepted(protocol.name);
    if (!errorLog.wants("info")) return;
    const { remote } = this.#client.connection;
    errorLog.write(
      "info",
      `client ${formatAddress(remote)} connected to ${this.#serverName}`,
      this.#number,
    );
  }

  upgrading(): void {
    this.#startTls = true;
  }

  /** @returns the number of this attempt */
  attempted(login: ByteString): number {
    this.#typed = login;
    this.#login = login;
    this.#attempted = performance.now();
    return ++this.#attempts;
  }

  lookingUp(): void {
    this.#since = performance.now();
  }

  lookedUp(answer: Answer): void {
    const { metrics, settings } = this.#server;
    this.#lookupTime = performance.now() - this.#since;
    metrics.lookedUp(answer.kind, this.#lookupTime);
    if (settings.auth_http_cache !== null) metrics.cached(cacheResultOf(answer));
  }

  /** @param login as upstreams are to hear it */
  passing(login: ByteString): void {
    this.#login = login;
    this.#since = performance.now();
  }

  /** What is said from now on is about this server. */
  connecting(upstream: Address): void {
    const name = formatAddress(upstream);
    if (this.#upstreams.at(-1) !== name) this.#upstreams.push(name);
    this.#dialling = performance.now();
  }

  connected(upstream: Address): void {
    this.#connectTime = performance.now() - this.#dialling;
    this.#server.metrics.connected(this.#connectTime);
    this.connecting(upstream);
  }

  /** What came of the attempt. */
  decided(outcome: Outcome): void {
    this.#count(resultOf(outcome));
    this.#status = this.#statusOf(outcome);
    if (outcome.kind !== "loggedIn") return;
    this.#upstreamTime = performance.now() - this.#since;
    this.#loggedIn = true;
    this.log("info", "client logged in");
  }

  #statusOf(outcome: Outcome): number {
    switch (outcome.kind) {
      case "loggedIn":
        return 200;
      case "refused":
        return 403;
      case "failed":
        if (outcome.limited === true) return 503;
        return this.#upstreams.length === 0 ? 500 : 502;
    }
  }

  #count(result: LoginResult): void {
    if (this.#attempted === null) return;
    const { metrics, protocol } = this.#server;
    metrics.decided(protocol.name, result, performance.now() - this.#attempted);
    this.#attempted = null;
  }

  /** The client's time is over. @param doing as for `log` */
  late(doing: string): void {
    this.log("info", `client ${TIMED_OUT}`, doing);
    this.#server.refusals.count("login_timeout");
  }

  /** @param doing as for `log` */
  turnedAway({ reason: refusal, log }: TurnedAway, doing: string): void {
    if (log !== null) this.log(log.level, log.note, doing);
    if (refusal !== null) this.#server.refusals.count(refusal);
    this.#status = STATUSES.get(refusal) ?? 400;
  }

  /** A fault of ours. */
  faulted(error: unknown): void {
    this.#status = 500;
    this.log("alert", `fault: ${error instanceof Error ? error.stack : String(error)}`);
  }

  /** By either name, in no particular case, as endpoints may not mind it; an empty one is nobody's. */
  isOf(user: ByteString): boolean {
    const [typed, login] = [this.#typed, this.#login];
    return isSame(typed, user) || (login !== typed && isSame(login, user));
  }

  /** Somebody wants this user's sessions to end. */
  kicked(): void {
    const { metrics, protocol } = this.#server;
    this.#kicked = true;
    this.#status = 403;
    metrics.kicked(protocol.name);
    this.log("info", "client was kicked");
  }

  /** How it is now. @param moved by the splice, if there is one */
  current(state: SessionState, moved: Moved | null): LiveSession {
    const { host, port } = this.#client.address;
    const replaced = this.#login === this.#typed ? null : this.#login;
    return {
      connection: this.#number,
      trace_id: this.#client.trace,
      protocol: this.#server.protocol.name,
      state,
      remote_addr: host,
      remote_port: port,
      ssl_protocol: this.#client.connection.tls?.protocol ?? null,
      user: this.#typed === null ? null : clipped(utf8(this.#typed)),
      auth_user: replaced === null ? null : clipped(utf8(replaced)),
      upstream_addr: this.#upstreams.at(-1) ?? null,
      bytes_received: moved?.toUpstream ?? 0,
      bytes_sent: moved?.toClient ?? 0,
      session_time: seconds(performance.now() - this.#start),
    };
  }

  /** Bytes have been spliced. @returns how that ended, in words */
  spliced({ toUpstream, toClient, end }: SpliceReport): string {
    this.#received = toUpstream;
    this.#sent = toClient;
    if (end.by === "idle") this.log("info", `client ${TIMED_OUT}`, ACTIONS.proxying);
    if ("error" in end && end.error !== null) {
      this.log(end.by === "client" ? "info" : "error", reason(end.error), ACTIONS.proxying);
    }
    this.#server.metrics.spliced(this.#server.protocol.name, toUpstream, toClient);
    this.log("info", "proxied session done");
    return this.#splicedEnd(end);
  }

  #splicedEnd(end: SpliceReport["end"]): string {
    switch (end.by) {
      case "idle":
        return "nothing was said for proxy_timeout";
      case "stop":
        return this.#kicked ? ENDS.kicked : "the server was stopped";
      case "client":
      case "upstream":
        return end.error === null
          ? `the ${end.by} closed the connection`
          : `${end.by} ${reason(end.error)}`;
    }
  }

  /**
   * Writes to the error log, with nginx's context behind the message.
   *
   * @param doing what went on, in nginx's words
   */
  log(level: LogLevel, message: string, doing = ""): void {
    const { errorLog } = this.#server;
    if (!errorLog.wants(level)) return;
    errorLog.write(level, `${message}${this.#context(doing)}`, this.#number);
  }

  #context(doing: string): string {
    const parts = [
      doing === "" ? "" : ` while ${doing}`,
      `, client: ${this.#client.address.host}${this.#startTls ? " using starttls" : ""}`,
      `, server: ${this.#serverName}`,
    ];
    if (this.#login !== null && this.#login !== "") parts.push(`, login: "${utf8(this.#login)}"`);
    const upstream = this.#upstreams.at(-1);
    if (upstream !== undefined) parts.push(`, upstream: ${upstream}`);
    return parts.join("");
  }

  /** Writes the session's line. */
  ended(end: string): void {
    this.#count("abandoned");
    const { tls } = this.#client.connection;
    const { host, port } = this.#client.address;
    this.#server.accessLog.write({
      connection: this.#number,
      trace_id: this.#client.trace,
      protocol: this.#server.protocol.name,
      remote_addr: host,
      remote_port: port,
      remote_host: this.#server.resolver === null ? null : this.#client.host,
      server_addr: this.#local.host,
      server_port: this.#local.port,
      ssl_protocol: tls?.protocol ?? null,
      ssl_cipher: tls?.cipher ?? null,
      ssl_server_name: tls?.serverName ?? null,
      ssl_session_reused: tls?.resumed ?? null,
      login: this.#login === null ? null : utf8(this.#login),
      login_attempts: this.#attempts,
      lookup_time: seconds(this.#lookupTime),
      upstream_addr: this.#upstreams.length === 0 ? null : this.#upstreams.join(", "),
      upstream_connect_time: seconds(this.#connectTime),
      upstream_login_time: seconds(this.#upstreamTime),
      bytes_received: this.#received,
      bytes_sent: this.#sent,
      session_time: seconds(performance.now() - this.#start),
      status: this.#status,
      logged_in: this.#loggedIn,
      end,
    });
  }
}

/** One is asked of every session there is: few names are of one length. */
function isSame(known: ByteString | null, user: ByteString): boolean {
  if (known === null || known.length !== user.length || user === "") return false;
  return known.toLowerCase() === user.toLowerCase();
}

function resultOf(outcome: Outcome): LoginResult {
  switch (outcome.kind) {
    case "loggedIn":
      return "accepted";
    case "refused":
      return "refused";
    case "failed":
      return outcome.limited === true ? "limited" : "unavailable";
  }
}

function cacheResultOf(answer: Answer): CacheResult {
  if (answer.kind !== "route" || answer.remembered === null) return "miss";
  return answer.remembered.instead === null ? "hit" : "stale";
}

/** Logins are UTF-8 where they are not ASCII; a log shows them as they were meant. */
function utf8(bytes: ByteString): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function seconds(ms: number): number;
function seconds(ms: number | null): number | null;
function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms) / 1000;
}
