/**
 * The upstreams of the route, one after another, until one of them judges the login.
 *
 * A login may be repeated at another server only until an upstream has judged it: a failure on the way says
 * nothing about the user, and a verdict, whichever it is, is final.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import type { Denial } from "../../limits/index.ts";
import type { Route } from "../../lookup/index.ts";
import type { Account, ProtocolHandler } from "../../protocols/index.ts";
import type { Address, Connection, Input } from "../../transport/index.ts";
import { tlsMode } from "../../upstream/index.ts";
import { ENDS } from "../phase-table.ts";
import { type Refusal, ServerAttempt, type ServerAttemptOwner } from "../server-attempt.ts";
import type { UpstreamSecurity } from "../upstream-login.ts";
import { Phase, type SessionContext } from "./phase.ts";
import { RelayPhase } from "./relay.ts";
import { quoted } from "../../quoted.ts";

/** The reply for the client, and the result for the logs. */
interface Failure {
  readonly reply: ByteString;
  readonly reason: string;
  readonly result: "limited" | "unavailable";
}

export class ConnectPhase extends Phase implements ServerAttemptOwner {
  readonly step = "connect";
  readonly handler: ProtocolHandler;
  readonly #route: Route;
  readonly #account: Account;
  readonly #since = performance.now();
  #servers: readonly Address[] = [];
  /** The index of the server to try next. */
  #next = 0;
  #tries = 0;
  /** The attempt at the present server; null before the first. */
  #attempt: ServerAttempt | null = null;
  /** The failure to report if no other server can be tried; null where no server has answered. */
  #failure: Failure | null = null;

  constructor(session: SessionContext, handler: ProtocolHandler, route: Route, account: Account) {
    super(session);
    this.handler = handler;
    this.#route = route;
    this.#account = account;
  }

  begin(): void {
    const { health, settings } = this.session.server;
    this.#servers = health.order(this.#route.servers, settings);
    this.#tryNextServer();
  }

  mayTry(): boolean {
    if (this.#tries === 0) return true;
    const { proxy_next_upstream, proxy_next_upstream_tries, proxy_next_upstream_timeout } =
      this.session.server.settings;
    const tries = proxy_next_upstream_tries || Number.POSITIVE_INFINITY;
    const time = proxy_next_upstream_timeout || Number.POSITIVE_INFINITY;
    return proxy_next_upstream && this.#tries < tries && performance.now() - this.#since < time;
  }

  /** The time of a server's first try also covers resolving the name. */
  beginTry(): void {
    const { proxy_connect_timeout, timeout } = this.session.server.settings;
    this.session.deadline.set(Math.min(proxy_connect_timeout, timeout));
  }

  dialling(): void {
    this.#tries++;
  }

  #tryNextServer(): void {
    const server = this.#servers[this.#next++];
    if (server === undefined || !this.mayTry()) {
      this.#fail(this.#failure ?? this.#unavailable("the upstream could not be reached"));
      return;
    }
    const { settings } = this.session.server;
    const { telemetry, limits } = this.session;
    telemetry.connecting(server);
    const tls = tlsMode(this.#route.tls, settings.proxy_ssl, server.port);
    if (tls === null) {
      const message = "lookup forbids the TLS that proxy_ssl demands";
      telemetry.log("error", message, "connecting to upstream");
      this.#tryNextServer();
      return;
    }
    const given = server === this.#route.servers[0] ? this.#route.tlsName : null;
    const security = { tls, tlsName: given ?? settings.proxy_ssl_name ?? server.host };
    const verdict = limits?.onUpstream(server) ?? null;
    if (!(verdict instanceof Promise)) this.#admitted(verdict, server, security);
    else
      this.session.resumeWithVerdict(verdict, (denial) => this.#admitted(denial, server, security));
  }

  #admitted(denial: Denial | null, server: Address, security: UpstreamSecurity): void {
    if (denial !== null) {
      this.session.telemetry.limited(denial);
      const reply = this.handler.limited("connections");
      this.#failure = { reply, reason: denial.note, result: "limited" };
      this.#tryNextServer();
      return;
    }
    this.beginTry();
    this.#attempt = new ServerAttempt(
      this.session,
      this.handler,
      this.#account,
      server,
      security,
      this,
    );
    this.#attempt.start();
  }

  serverFailed(): void {
    this.#tryNextServer();
  }

  loggedIn(upstream: Connection, reply: ByteString, rest: Input): void {
    this.session.telemetry.decided("accepted");
    this.session.enter(new RelayPhase(this.session, upstream, reply, rest));
  }

  /** The lookup said yes, so the upstream's refusal is not the client's doing: a temporary failure. */
  refused(end: Refusal, rest: Input, doing: string): void {
    const failure = this.#failureOf(end, rest, doing);
    if (end.kind === "unready") this.#failure = failure;
    else this.#fail(failure);
  }

  #failureOf(end: Refusal, rest: Input, doing: string): Failure {
    const { telemetry, server } = this.session;
    if (end.kind === "impossible") {
      telemetry.log("error", end.reason, `sending ${end.name} to upstream`);
      return this.#unavailable(end.reason);
    }
    const reply = end.reply + (rest.bytes(rest.length) ?? "");
    const pass = server.settings.proxy_pass_error_message;
    const message = `upstream sent invalid response: ${quoted(reply.trimEnd())}`;
    telemetry.log(pass ? "info" : "error", message, doing);
    const why = "the upstream refused the login";
    return pass ? { reply, reason: why, result: "unavailable" } : this.#unavailable(why);
  }

  #unavailable(why: string): Failure {
    return { reply: this.handler.unavailable(), reason: why, result: "unavailable" };
  }

  #fail({ reply, reason, result }: Failure): void {
    this.session.telemetry.decided(result);
    this.session.end(reason, reply);
  }

  expired(): void {
    this.#attempt?.expired();
  }

  override cancel(): void {
    this.#attempt?.cancel();
  }

  override get kickable(): boolean {
    return true;
  }

  override kick(): void {
    this.session.end(ENDS.kicked, this.handler.unavailable());
  }
}
