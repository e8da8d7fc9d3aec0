/** Before the greeting: the PROXY header, the limit on connections, TLS, the client's host name. */
import type { Listen } from "../../config/index.ts";
import type { Denial } from "../../limits/index.ts";
import type { ProtocolHandler } from "../../protocols/index.ts";
import { type ProxyHeader, brokenHeader, readProxyHeader } from "../../proxy-protocol/index.ts";
import { reason } from "../../reason.ts";
import { type Resolver, clientHost } from "../../resolver/index.ts";
import {
  PeerClosed,
  type ScriptOwner,
  ScriptRunner,
  type TlsReceiver,
} from "../../transport/index.ts";
import { ENDS, HANDSHAKE_TO_TELL, RESOLVING } from "../phase-table.ts";
import { checkCertificate, handshakeFailed } from "./client-tls.ts";
import { Phase, type SessionContext } from "./phase.ts";
import { PreAuthPhase } from "./pre-auth.ts";

export class AcceptPhase extends Phase implements TlsReceiver, ScriptOwner<ProxyHeader> {
  step: "proxyHeader" | "handshake" | "clientName" = "handshake";
  handler: ProtocolHandler | null = null;
  readonly #listen: Listen;
  /** Set where a limit forbids the client to go on. */
  #denial: Denial | null = null;
  /** Set where the server shuts down before the client can be told. */
  #shutsDown = false;
  /** The lookup of the client's name; null while none is under way. */
  #resolving: AbortController | null = null;

  /** @param listen the socket that accepted the client */
  constructor(session: SessionContext, listen: Listen) {
    super(session);
    this.#listen = listen;
  }

  begin(): void {
    const { time, server, client, input } = this.session;
    time.limit(server.settings.timeout);
    if (!this.#listen.proxyProtocol) {
      this.#admit();
      return;
    }
    this.step = "proxyHeader";
    new ScriptRunner(client.connection, input, readProxyHeader(input), this).start();
  }

  finished(header: ProxyHeader): void {
    const { client, server, input } = this.session;
    client.connection.receiver = this;
    if (header.kind === "proxied") client.introduced(header.proxied, server.trusts);
    // Bytes behind the header belong to the handshake.
    if (this.#listen.ssl) client.connection.unread(input.rest());
    this.#admit();
  }

  /** No PROXY header came. */
  failed(error: Error): void {
    const { telemetry, input } = this.session;
    const why = error instanceof PeerClosed ? brokenHeader(input.peek(input.length)) : error;
    telemetry.log("error", reason(why), this.doing);
    telemetry.rejected("proxy_protocol");
    this.session.end("the PROXY header was broken");
  }

  #admit(): void {
    const { limits, client } = this.session;
    this.step = "handshake";
    const verdict = limits?.onConnect(client.address.host) ?? null;
    if (!(verdict instanceof Promise)) {
      this.#admitted(verdict);
      return;
    }
    client.connection.pause();
    this.session.resumeWith(verdict, (denial) => this.#admitted(denial));
  }

  #admitted(denial: Denial | null): void {
    const { client, time, server, telemetry } = this.session;
    this.#denial = denial;
    if (denial !== null) {
      telemetry.limited(denial);
      time.limit(Math.min(server.settings.timeout, HANDSHAKE_TO_TELL));
    }
    if (!this.#listen.ssl) this.#open();
    else if (server.tls === null) {
      handshakeFailed(this.session, new Error("no certificate is configured"), this.doing);
    } else client.connection.acceptTls(server.tls, this);
  }

  secured(): void {
    const { tls } = this.session.client.connection;
    if (tls !== null) this.session.telemetry.secured(tls);
    this.#open();
  }

  /** The client can be spoken to from now on. */
  #open(): void {
    const { server, client } = this.session;
    const handler = server.protocol.open(this.#listen.ssl);
    if (this.#denial !== null) {
      this.session.end(this.#denial.note, handler.limited("connections"));
      return;
    }
    if (!checkCertificate(this.session, handler, this.doing)) return;
    this.handler = handler;
    if (this.#shutsDown) {
      super.shutDown();
      return;
    }
    client.connection.resume();
    if (server.resolver === null) this.session.enter(new PreAuthPhase(this.session, handler));
    else this.#resolveName(handler, server.resolver);
  }

  #resolveName(handler: ProtocolHandler, resolver: Resolver): void {
    const { client, server, telemetry, time } = this.session;
    this.step = "clientName";
    time.limit(Number.POSITIVE_INFINITY);
    this.#resolving = new AbortController();
    const name = clientHost(
      resolver,
      client.address.host,
      { timeout: server.settings.resolver_timeout, signal: this.#resolving.signal },
      (message, resolving) => telemetry.log("error", message, RESOLVING[resolving]),
    );
    this.session.resumeWith(name, (host) => {
      client.host = host;
      this.session.enter(new PreAuthPhase(this.session, handler));
    });
  }

  override cancel(): void {
    this.#resolving?.abort();
  }

  /** A client in its handshake hears of the end behind it. */
  override shutDown(): void {
    if (this.handler !== null) {
      super.shutDown();
      return;
    }
    const { time, server } = this.session;
    this.#shutsDown = true;
    time.limit(Math.min(server.settings.timeout, HANDSHAKE_TO_TELL));
  }

  expired(): void {
    this.session.telemetry.timedOut(this.doing);
    this.session.end(ENDS.timedOut);
  }

  override closed(error: Error | null): void {
    if (error !== null && this.step === "handshake" && this.#listen.ssl) {
      handshakeFailed(this.session, error, this.doing);
    } else super.closed(error);
  }
}
