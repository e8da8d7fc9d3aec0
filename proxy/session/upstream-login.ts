/** The login at one upstream, from the established connection to the upstream's verdict. */
import type { TlsMode } from "../../shared/lookup.ts";
import type { Account, LoginEnd, ProtocolHandler } from "../protocols/index.ts";
import { formatProxyHeader } from "../proxy-protocol/index.ts";
import { TIMED_OUT } from "../reason.ts";
import {
  type Command,
  type Connection,
  InjectedPlaintext,
  Input,
  PeerClosed,
  type ScriptOwner,
  ScriptRunner,
  type TlsReceiver,
  TooLong,
} from "../transport/index.ts";
import type { SessionContext } from "./phases/phase.ts";

export interface UpstreamLoginOwner {
  /** nginx's words for the present step upstream, behind `while` in the error log. */
  upstreamStep: string;
  /** @param rest bytes that the upstream sent behind its verdict, for the client */
  loginEnded(connection: Connection, end: LoginEnd, rest: Input): void;
  /** The upstream gave no verdict. The connection is closed. */
  loginFailed(error: Error): void;
}

/** The TLS towards one upstream, and the name that its certificate must be for. */
export interface UpstreamSecurity {
  readonly tls: TlsMode;
  readonly tlsName: string;
}

export class UpstreamLogin implements TlsReceiver, ScriptOwner<LoginEnd> {
  readonly #session: SessionContext;
  readonly #handler: ProtocolHandler;
  readonly #connection: Connection;
  readonly #security: UpstreamSecurity;
  readonly #account: Account;
  readonly #owner: UpstreamLoginOwner;
  readonly #input = new Input();
  #over = false;

  constructor(
    session: SessionContext,
    handler: ProtocolHandler,
    connection: Connection,
    security: UpstreamSecurity,
    account: Account,
    owner: UpstreamLoginOwner,
  ) {
    this.#session = session;
    this.#handler = handler;
    this.#connection = connection;
    this.#security = security;
    this.#account = account;
    this.#owner = owner;
  }

  start(): void {
    this.#introduce();
    if (this.#security.tls === "tls") this.startTls(this);
    else this.#logIn();
  }

  #introduce(): void {
    const { proxy_protocol } = this.#session.server.settings;
    if (proxy_protocol === "off") return;
    const { address, connection: client } = this.#session.client;
    this.#owner.upstreamStep = "sending PROXY protocol header to upstream";
    this.#connection.write(formatProxyHeader(proxy_protocol, address, client.local, client.tls));
  }

  startTls(receiver: TlsReceiver): void {
    this.#owner.upstreamStep = "SSL handshaking to upstream";
    const { upstreamTls } = this.#session.server;
    this.#connection.connectTls(upstreamTls, this.#security.tlsName, receiver);
  }

  /** TLS from the first byte is active. */
  secured(): void {
    this.#owner.upstreamStep = "connecting to upstream";
    this.#logIn();
  }

  #logIn(): void {
    const { server, client, deadline } = this.#session;
    deadline.set(server.settings.timeout);
    const { tls } = this.#security;
    const script = this.#handler.login(this.#account, client.info, tls, this.#input);
    new ScriptRunner(this.#connection, this.#input, script, this).start();
  }

  sending({ name, note }: Pick<Command, "name" | "note">): void {
    this.#owner.upstreamStep = `sending ${name} to upstream`;
    if (note !== undefined) this.#session.telemetry.log("info", note, this.#owner.upstreamStep);
  }

  heard(): void {
    this.#owner.upstreamStep = "reading response from upstream";
  }

  finished(end: LoginEnd): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#owner.loginEnded(this.#connection, end, this.#input);
    } catch (error) {
      // The connection would take the error for its own, and drop it.
      this.#connection.destroy();
      this.#session.fault(error);
    }
  }

  failed(error: Error): void {
    if (error instanceof PeerClosed) {
      this.heard();
      this.#fail(new Error("upstream prematurely closed connection"));
    } else if (error instanceof TooLong) {
      this.#fail(new Error("upstream sent too long response line"));
    } else if (error instanceof InjectedPlaintext)
      this.#fail(new Error(`upstream ${error.message}`));
    else this.#fail(error);
  }

  received(): void {}
  drained(): void {}
  ended(): void {}

  /** The handshake of TLS from the first byte has failed. */
  closed(error: Error | null): void {
    this.#fail(error ?? new Error("upstream prematurely closed connection"));
  }

  timedOut(): void {
    this.#fail(new Error(TIMED_OUT));
  }

  /** The owner hears nothing more. After the verdict the connection is the owner's to close. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.destroy();
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.cancel();
    this.#owner.loginFailed(error);
  }
}
