/** What happens to a session, as it happens: counted, timed, remembered and told. */
import { formatAddress } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type { LogLevel } from "../config/index.ts";
import type { Rejection } from "../limits/index.ts";
import type { Answer } from "../lookup/index.ts";
import { TIMED_OUT, reason } from "../reason.ts";
import type { Address, Splice, SpliceReport } from "../transport/index.ts";
import {
  type CacheResult,
  type LiveSession,
  type LoginResult,
  type SessionState,
} from "../observe/index.ts";
import type { Client } from "./client.ts";
import { Facts } from "./facts.ts";
import type { Outcome } from "./outcome.ts";
import type { TurnedAway } from "./secure.ts";
import type { Server } from "./server.ts";

/** nginx's words for what a session was doing, by its stage. */
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
const STATUSES: ReadonlyMap<Rejection | null, number> = new Map([
  ["client_certificate", 403],
  // A limit's.
  [null, 503],
]);

/** How sessions end, in words. */
export const ENDS = {
  kicked: "kicked",
  left: "the client closed the connection",
  late: "the client timed out",
} as const;

export class Story {
  readonly #server: Server;
  readonly #client: Client;
  readonly #facts: Facts;
  /** When the current attempt, the current lookup or upstream login, and the current dial began; ms. */
  #attempted: number | null = null;
  #since = 0;
  #dialling = 0;
  #kicked = false;

  constructor(server: Server, client: Client, number: number) {
    this.#server = server;
    this.#client = client;
    this.#facts = new Facts(server, client, number);
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
    this.#facts.serverName = formatAddress(listen);
    const { errorLog, metrics, protocol } = this.#server;
    metrics.accepted(protocol.name);
    if (!errorLog.wants("info")) return;
    const { remote } = this.#client.connection;
    errorLog.write(
      "info",
      `client ${formatAddress(remote)} connected to ${this.#facts.serverName}`,
      this.#facts.number,
    );
  }

  upgrading(): void {
    this.#facts.startTls = true;
  }

  /** @returns the number of this attempt */
  attempted(login: ByteString): number {
    this.#facts.typed = login;
    this.#facts.login = login;
    this.#attempted = performance.now();
    return ++this.#facts.attempts;
  }

  lookingUp(): void {
    this.#since = performance.now();
  }

  lookedUp(answer: Answer): void {
    const { metrics, settings } = this.#server;
    this.#facts.lookupTime = performance.now() - this.#since;
    metrics.lookedUp(answer.kind, this.#facts.lookupTime);
    if (settings.auth_http_cache !== null) metrics.cached(cacheResultOf(answer));
  }

  /** @param login as upstreams are to hear it */
  passing(login: ByteString): void {
    this.#facts.login = login;
    this.#since = performance.now();
  }

  /** What is said from now on is about this server. */
  connecting(upstream: Address): void {
    const name = formatAddress(upstream);
    if (this.#facts.upstreams.at(-1) !== name) this.#facts.upstreams.push(name);
    this.#dialling = performance.now();
  }

  connected(upstream: Address): void {
    this.#facts.connectTime = performance.now() - this.#dialling;
    this.#server.metrics.connected(this.#facts.connectTime);
    this.connecting(upstream);
  }

  /** What came of the attempt. */
  decided(outcome: Outcome): void {
    this.#count(resultOf(outcome));
    this.#facts.status = this.#statusOf(outcome);
    if (outcome.kind !== "loggedIn") return;
    this.#facts.upstreamTime = performance.now() - this.#since;
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
        return this.#facts.upstreams.length === 0 ? 500 : 502;
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
    this.#server.rejections.count("login_timeout");
  }

  /** @param doing as for `log` */
  turnedAway({ reason: refusal, log }: TurnedAway, doing: string): void {
    if (log !== null) this.log(log.level, log.note, doing);
    if (refusal !== null) this.#server.rejections.count(refusal);
    this.#facts.status = STATUSES.get(refusal) ?? 400;
  }

  /** A fault of ours. */
  faulted(error: unknown): void {
    this.#facts.status = 500;
    this.log("alert", `fault: ${error instanceof Error ? error.stack : String(error)}`);
  }

  /** By either name, in no particular case, as endpoints may not mind it; an empty one is nobody's. */
  isOf(user: ByteString): boolean {
    const { typed, login } = this.#facts;
    return isSame(typed, user) || (login !== typed && isSame(login, user));
  }

  /** Somebody wants this user's sessions to end. */
  kicked(): void {
    const { metrics, protocol } = this.#server;
    this.#kicked = true;
    this.#facts.status = 403;
    metrics.kicked(protocol.name);
    this.log("info", "client was kicked");
  }

  /** How it is now. @param splice if there is one */
  current(state: SessionState, splice: Splice | null): LiveSession {
    return this.#facts.current(state, splice);
  }

  /** Bytes have been spliced. @returns how that ended, in words */
  spliced({ toUpstream, toClient, end }: SpliceReport): string {
    this.#facts.received = toUpstream;
    this.#facts.sent = toClient;
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
    errorLog.write(level, `${message}${this.#facts.context(doing)}`, this.#facts.number);
  }

  /** Writes the session's line. */
  ended(end: string): void {
    this.#count("abandoned");
    this.#server.accessLog.write(this.#facts.record(end));
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
