/** The attempt at one upstream server: find its addresses, connect to them in turn, log in. */
import type { Account, LoginEnd, ProtocolHandler } from "../protocols/index.ts";
import { TIMED_OUT, reason } from "../reason.ts";
import type { Address, Connection, Input } from "../transport/index.ts";
import {
  Connector,
  type ConnectorOwner,
  type Dialer,
  OutboundProxyError,
  isLocalError,
} from "../upstream/index.ts";
import type { SessionContext } from "./phases/phase.ts";
import { UpstreamLogin, type UpstreamLoginOwner, type UpstreamSecurity } from "./upstream-login.ts";
import { quoted } from "../quoted.ts";

/** A verdict on the login other than yes. */
export type Refusal = Exclude<LoginEnd, { readonly kind: "accepted" }>;

export interface ServerAttemptOwner {
  /** True while the configuration allows another try. */
  mayTry(): boolean;
  /** A try of one address, or of several at once, begins: its time is set anew. */
  beginTry(): void;
  /** The try counts. A name without addresses is not dialled, so that the next server may be tried. */
  dialling(): void;
  /** @param rest bytes that the upstream sent behind its reply */
  loggedIn(upstream: Connection, reply: string, rest: Input): void;
  /** The upstream has judged the login. @param doing nginx's words for the present step */
  refused(end: Refusal, rest: Input, doing: string): void;
  /** The server has no address left that may be tried. */
  serverFailed(): void;
}

/** Work under way. */
type Work =
  | { readonly kind: "routing" }
  | { readonly kind: "resolving"; readonly abort: AbortController }
  | { readonly kind: "dialling"; readonly connector: Connector; readonly dialer: Dialer }
  | { readonly kind: "loggingIn"; readonly login: UpstreamLogin; readonly to: Address };

export class ServerAttempt implements ConnectorOwner, UpstreamLoginOwner {
  upstreamStep = "connecting to upstream";
  readonly #session: SessionContext;
  readonly #handler: ProtocolHandler;
  readonly #account: Account;
  readonly #server: Address;
  readonly #security: UpstreamSecurity;
  readonly #owner: ServerAttemptOwner;
  #addresses: readonly Address[];
  /** The addresses that are left. */
  #untried: readonly Address[] = [];
  /** Null until the route to the server is known. */
  #dialer: Dialer | null = null;
  #work: Work | null = null;

  constructor(
    session: SessionContext,
    handler: ProtocolHandler,
    account: Account,
    server: Address,
    security: UpstreamSecurity,
    owner: ServerAttemptOwner,
  ) {
    this.#session = session;
    this.#handler = handler;
    this.#account = account;
    this.#server = server;
    this.#addresses = [server];
    this.#security = security;
    this.#owner = owner;
  }

  start(): void {
    const { clear, tls } = this.#session.server.routes;
    const dialer = (this.#security.tls === "tls" ? tls : clear)(this.#server.host);
    if (!(dialer instanceof Promise)) {
      this.#routed(dialer);
      return;
    }
    const work: Work = { kind: "routing" };
    this.#work = work;
    this.#session.resumeWith(dialer, (found) => {
      if (this.#work === work) this.#routed(found);
    });
  }

  #routed(dialer: Dialer): void {
    this.#dialer = dialer;
    const addresses = dialer.addresses(this.#server);
    if (addresses !== null) this.#resolved(addresses, dialer);
    else this.#resolve(dialer);
  }

  #resolve(dialer: Dialer): void {
    const abort = new AbortController();
    const work: Work = { kind: "resolving", abort };
    this.#work = work;
    const found = dialer.resolve(this.#server, abort.signal).catch(asError);
    this.#session.resumeWith(found, (addresses) => {
      if (this.#work !== work) return;
      if (addresses instanceof Error) this.#unresolved(addresses);
      else this.#resolved(addresses, dialer);
    });
  }

  #unresolved(error: Error): void {
    this.#work = null;
    this.#failed(this.#server, error);
    this.#owner.serverFailed();
  }

  #resolved(addresses: readonly Address[], dialer: Dialer): void {
    const { health, settings } = this.#session.server;
    this.#addresses = addresses;
    this.#untried = health.order(addresses, settings);
    this.#dial(dialer);
  }

  #dial(dialer: Dialer): void {
    const { health } = this.#session.server;
    this.#owner.dialling();
    this.#session.telemetry.connecting(this.#untried[0] ?? this.#server);
    for (const address of this.#untried) health.trying(address);
    const connector = new Connector(dialer.dial, this.#untried, this);
    this.#work = { kind: "dialling", connector, dialer };
    connector.dialNext();
  }

  connected(connection: Connection, to: Address): void {
    this.#drop(to);
    this.#session.telemetry.connected(to);
    const login = new UpstreamLogin(
      this.#session,
      this.#handler,
      connection,
      this.#security,
      this.#account,
      this,
    );
    this.#work = { kind: "loggingIn", login, to };
    login.start();
  }

  unreachable(to: Address, error: unknown): void {
    this.#drop(to);
    this.#failed(to, error);
  }

  #drop(tried: Address): void {
    this.#untried = this.#untried.filter((address) => address !== tried);
  }

  exhausted(): void {
    this.#tryAgain();
  }

  /** Tries the addresses that are left. */
  #tryAgain(): void {
    this.#work = null;
    if (this.#dialer === null || this.#untried.length === 0 || !this.#owner.mayTry()) {
      this.#owner.serverFailed();
      return;
    }
    this.upstreamStep = "connecting to upstream";
    this.#owner.beginTry();
    this.#dial(this.#dialer);
  }

  loginEnded(connection: Connection, end: LoginEnd, rest: Input): void {
    const { health, settings } = this.#session.server;
    const to = this.#address;
    if (end.kind === "unready") {
      const why = `upstream is not ready: ${quoted(end.reply.trimEnd())}`;
      health.failed(to, settings, { server: this.#server, addresses: this.#addresses }, why);
    } else health.succeeded(to, settings, this.#server);
    if (end.kind === "accepted") {
      this.#owner.loggedIn(connection, end.reply, rest);
      return;
    }
    connection.close();
    this.#owner.refused(end, rest, this.upstreamStep);
    if (end.kind === "unready") this.#tryAgain();
  }

  loginFailed(error: Error): void {
    this.#failed(this.#address, error);
    this.#tryAgain();
  }

  /** The address of the present connection. */
  get #address(): Address {
    return this.#work?.kind === "loggingIn" ? this.#work.to : this.#server;
  }

  /** A try has failed: logs it, and counts it against the server unless the fault is this machine's. */
  #failed(to: Address, error: unknown): void {
    const { telemetry, server } = this.#session;
    const why = reason(error);
    telemetry.connecting(to);
    if (why === TIMED_OUT) telemetry.log("info", `upstream ${why}`, this.upstreamStep);
    else telemetry.log("error", why, this.upstreamStep);
    if (isLocalError(error)) return;
    const upstream = { server: this.#server, addresses: this.#addresses };
    // The failure of a proxy says nothing about the server behind it.
    const told = error instanceof OutboundProxyError ? null : why;
    server.health.failed(to, server.settings, upstream, told);
  }

  /** The time of the present try is over. */
  expired(): void {
    const work = this.#work;
    switch (work?.kind) {
      case "routing":
        this.#unresolved(new Error(TIMED_OUT));
        break;
      case "resolving":
        work.abort.abort();
        this.#unresolved(new Error(TIMED_OUT));
        break;
      case "dialling":
        work.connector.giveUp(work.dialer.timedOut());
        break;
      case "loggingIn":
        work.login.timedOut();
        break;
      case undefined:
        break;
    }
  }

  /** The owner hears nothing more. */
  cancel(): void {
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
      case "routing":
      case undefined:
        break;
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
