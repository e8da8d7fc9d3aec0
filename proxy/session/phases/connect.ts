/**
 * The upstreams of the route, one after another, until one of them judges the login.
 *
 * A login may be repeated at another server only until an upstream has judged it: a failure on the way says
 * nothing about the user, and a verdict, whichever it is, is final.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import type { Denial } from "../../limits/index.ts";
import type { Route } from "../../lookup/index.ts";
import type { Account, LoginEnd, ProtocolHandler } from "../../protocols/index.ts";
import { TIMED_OUT, reason } from "../../reason.ts";
import type { Address, Connection, Input } from "../../transport/index.ts";
import {
  Connector,
  type ConnectorOwner,
  type Dialer,
  OutboundProxyError,
  type Upstream,
  isLocalError,
  tlsMode,
} from "../../upstream/index.ts";
import { ENDS } from "../phase-table.ts";
import {
  UpstreamLogin,
  type UpstreamLoginOwner,
  type UpstreamSecurity,
} from "../upstream-login.ts";
import { Phase, type SessionContext } from "./phase.ts";
import { RelayPhase } from "./relay.ts";

/** The server being tried. */
interface Candidate extends Upstream, UpstreamSecurity {
  readonly dialer: Dialer;
  /** The addresses that are left. */
  untried: readonly Address[];
}

/** The reply for the client, and the result for the logs. */
interface Failure {
  readonly reply: ByteString;
  readonly reason: string;
  readonly result: "limited" | "unavailable";
}

/** Work under way at the present server. */
type Work =
  | { readonly kind: "resolving"; readonly abort: AbortController; readonly server: Address }
  | { readonly kind: "dialling"; readonly connector: Connector }
  | { readonly kind: "loggingIn"; readonly login: UpstreamLogin };

export class ConnectPhase extends Phase implements ConnectorOwner, UpstreamLoginOwner {
  readonly step = "connect";
  readonly handler: ProtocolHandler;
  upstreamStep = "";
  readonly #route: Route;
  readonly #account: Account;
  readonly #since = performance.now();
  #servers: readonly Address[] = [];
  /** The index of the server to try next. */
  #next = 0;
  #tries = 0;
  #candidate: Candidate | null = null;
  /** The address of the present connection. */
  #to: Address | null = null;
  #work: Work | null = null;
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

  #mayTry(): boolean {
    if (this.#tries === 0) return true;
    const { proxy_next_upstream, proxy_next_upstream_tries, proxy_next_upstream_timeout } =
      this.session.server.settings;
    const tries = proxy_next_upstream_tries || Number.POSITIVE_INFINITY;
    const time = proxy_next_upstream_timeout || Number.POSITIVE_INFINITY;
    return proxy_next_upstream && this.#tries < tries && performance.now() - this.#since < time;
  }

  #tryNextServer(): void {
    const server = this.#servers[this.#next++];
    if (server === undefined || !this.#mayTry()) {
      this.#fail(this.#failure ?? this.#unavailable("the upstream could not be reached"));
      return;
    }
    const { settings } = this.session.server;
    const { telemetry, limits } = this.session;
    this.#beginTry();
    telemetry.connecting(server);
    const tls = tlsMode(this.#route.tls, settings.proxy_ssl, server.port);
    if (tls === null) {
      telemetry.log("error", "lookup forbids the TLS that proxy_ssl demands", this.upstreamStep);
      this.#tryNextServer();
      return;
    }
    const toldName = server === this.#route.servers[0] ? this.#route.tlsName : null;
    const tlsName = toldName ?? settings.proxy_ssl_name ?? server.host;
    const verdict = limits?.onUpstream(server) ?? null;
    if (!(verdict instanceof Promise)) this.#admitted(verdict, server, { tls, tlsName });
    else {
      this.session.resumeWith(verdict, (denial) =>
        this.#admitted(denial, server, { tls, tlsName }),
      );
    }
  }

  /** Begins a try, which has a time of its own; the time of the first also covers resolving the name. */
  #beginTry(): void {
    const { proxy_connect_timeout, timeout } = this.session.server.settings;
    this.session.deadline.set(Math.min(proxy_connect_timeout, timeout));
    this.upstreamStep = "connecting to upstream";
  }

  #admitted(denial: Denial | null, server: Address, security: UpstreamSecurity): void {
    if (denial !== null) {
      this.session.telemetry.limited(denial);
      const reply = this.handler.limited("connections");
      this.#failure = { reply, reason: denial.note, result: "limited" };
      this.#tryNextServer();
      return;
    }
    const { clear, tls } = this.session.server.routes;
    const dialer = (security.tls === "tls" ? tls : clear)(server.host);
    if (!(dialer instanceof Promise)) this.#routed(dialer, server, security);
    else this.session.resumeWith(dialer, (found) => this.#routed(found, server, security));
  }

  #routed(dialer: Dialer, server: Address, security: UpstreamSecurity): void {
    const addresses = dialer.addresses(server);
    if (addresses !== null) this.#resolved(addresses, dialer, server, security);
    else this.#resolve(dialer, server, security);
  }

  #resolve(dialer: Dialer, server: Address, security: UpstreamSecurity): void {
    const abort = new AbortController();
    const work: Work = { kind: "resolving", abort, server };
    this.#work = work;
    const found = dialer.resolve(server, abort.signal).catch(asError);
    this.session.resumeWith(found, (addresses) => {
      if (this.#work !== work) return;
      if (addresses instanceof Error) this.#unresolved(server, addresses);
      else this.#resolved(addresses, dialer, server, security);
    });
  }

  #unresolved(server: Address, error: unknown): void {
    this.#work = null;
    this.#failed(server, error, { server, addresses: [server] });
    this.#tryNextServer();
  }

  #resolved(
    addresses: readonly Address[],
    dialer: Dialer,
    server: Address,
    { tls, tlsName }: UpstreamSecurity,
  ): void {
    const { health, settings } = this.session.server;
    const untried = health.order(addresses, settings);
    this.#dial({ server, addresses, dialer, untried, tls, tlsName });
  }

  #dial(candidate: Candidate): void {
    const { health } = this.session.server;
    const { dialer, untried, server } = candidate;
    this.#candidate = candidate;
    this.#tries++;
    this.session.telemetry.connecting(untried[0] ?? server);
    for (const address of untried) health.trying(address);
    const connector = new Connector(dialer.dial, untried, this);
    this.#work = { kind: "dialling", connector };
    connector.dialNext();
  }

  connected(connection: Connection, to: Address): void {
    const candidate = this.#candidate;
    if (candidate === null) return;
    candidate.untried = candidate.untried.filter((address) => address !== to);
    this.#to = to;
    this.session.telemetry.connected(to);
    const login = new UpstreamLogin(
      this.session,
      this.handler,
      connection,
      candidate,
      this.#account,
      this,
    );
    this.#work = { kind: "loggingIn", login };
    login.start();
  }

  unreachable(to: Address, error: unknown): void {
    const candidate = this.#candidate;
    if (candidate === null) return;
    candidate.untried = candidate.untried.filter((address) => address !== to);
    this.#failed(to, error, candidate);
  }

  exhausted(): void {
    this.#tryAgain();
  }

  /** Tries the addresses that are left, then the next server. */
  #tryAgain(): void {
    this.#work = null;
    const candidate = this.#candidate;
    if (candidate !== null && candidate.untried.length > 0 && this.#mayTry()) {
      this.#beginTry();
      this.#dial(candidate);
    } else this.#tryNextServer();
  }

  loginEnded(connection: Connection, end: LoginEnd, rest: Input): void {
    const candidate = this.#candidate;
    const to = this.#to;
    if (candidate === null || to === null) return;
    const { health, settings } = this.session.server;
    if (end.kind !== "unready") health.succeeded(to, settings, candidate.server);
    if (end.kind === "accepted") {
      this.session.telemetry.decided("accepted");
      this.session.enter(new RelayPhase(this.session, connection, end.reply, rest));
      return;
    }
    connection.close();
    const failure = this.#refused(end, rest);
    if (end.kind !== "unready") {
      this.#fail(failure);
      return;
    }
    health.failed(to, settings, candidate, `upstream is not ready: "${end.reply.trimEnd()}"`);
    this.#failure = failure;
    this.#tryAgain();
  }

  loginFailed(error: Error): void {
    if (this.#candidate !== null && this.#to !== null) {
      this.#failed(this.#to, error, this.#candidate);
    }
    this.#tryAgain();
  }

  /** The lookup said yes, so the upstream's refusal is not the client's doing: a temporary failure. */
  #refused(end: Exclude<LoginEnd, { kind: "accepted" }>, rest: Input): Failure {
    const { telemetry, server } = this.session;
    if (end.kind === "impossible") {
      this.upstreamStep = `sending ${end.name} to upstream`;
      telemetry.log("error", end.reason, this.upstreamStep);
      return this.#unavailable(end.reason);
    }
    const reply = end.reply + (rest.bytes(rest.length) ?? "");
    const pass = server.settings.proxy_pass_error_message;
    const message = `upstream sent invalid response: "${reply.trimEnd()}"`;
    telemetry.log(pass ? "info" : "error", message, this.upstreamStep);
    const why = "the upstream refused the login";
    return pass ? { reply, reason: why, result: "unavailable" } : this.#unavailable(why);
  }

  /** A try has failed: logs it, and counts it against the server unless the fault is this machine's. */
  #failed(to: Address, error: unknown, upstream: Upstream): void {
    const { health, settings } = this.session.server;
    const { telemetry } = this.session;
    const why = reason(error);
    telemetry.connecting(to);
    if (why === TIMED_OUT) telemetry.log("info", `upstream ${why}`, this.upstreamStep);
    else telemetry.log("error", why, this.upstreamStep);
    if (isLocalError(error)) return;
    // The failure of a proxy says nothing about the server behind it.
    health.failed(to, settings, upstream, error instanceof OutboundProxyError ? null : why);
  }

  #unavailable(why: string): Failure {
    return { reply: this.handler.unavailable(), reason: why, result: "unavailable" };
  }

  #fail({ reply, reason: why, result }: Failure): void {
    this.session.telemetry.decided(result);
    this.session.end(why, reply);
  }

  expired(): void {
    const work = this.#work;
    switch (work?.kind) {
      case "resolving":
        work.abort.abort();
        this.#unresolved(work.server, new Error(TIMED_OUT));
        break;
      case "dialling":
        work.connector.giveUp(this.#candidate?.dialer.timedOut() ?? new Error(TIMED_OUT));
        break;
      case "loggingIn":
        work.login.timedOut();
        break;
      case undefined:
        break;
    }
  }

  override cancel(): void {
    const work = this.#work;
    this.#work = null;
    switch (work?.kind) {
      case "resolving":
        work.abort.abort();
        break;
      case "dialling":
        work.connector.cancel();
        break;
      case "loggingIn":
        work.login.cancel();
        break;
      case undefined:
        break;
    }
  }

  override get kickable(): boolean {
    return true;
  }

  override kick(): void {
    this.session.end(ENDS.kicked, this.handler.unavailable());
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
