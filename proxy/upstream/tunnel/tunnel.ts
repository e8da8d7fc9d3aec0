/** A tunnel through an outbound proxy: dial the proxy, TLS with it where asked, then its own dialogue. */
import { formatAddress, parseIp } from "../../../shared/address.ts";
import { canonicalName } from "../../../shared/host-pattern.ts";
import type { OutboundProxy, ProxyCredentials } from "../../config/index.ts";
import { TIMED_OUT, reason } from "../../reason.ts";
import {
  type Address,
  type ClientTls,
  type Connection,
  type Dial,
  type DialReceiver,
  Input,
  type Script,
  type ScriptOwner,
  ScriptRunner,
  type TlsReceiver,
  TooLong,
} from "../../transport/index.ts";
import { isLocalError } from "../local-errors.ts";
import { connect } from "./connect.ts";
import { socks5 } from "./socks5.ts";

/** The proxy gave no tunnel. The message is a sentence with the proxy's address, and without secrets. */
export class OutboundProxyError extends Error {
  override name = "OutboundProxyError";
}

type TunnelScript = (
  input: Input,
  to: Address,
  credentials: ProxyCredentials | null,
) => Script<void>;

const SCRIPTS: Readonly<Record<OutboundProxy["scheme"], TunnelScript>> = {
  http: connect,
  https: connect,
  socks5,
};

/**
 * Names are the proxy's to resolve. The connection is handed over paused, since the server's first bytes may be
 * in it already.
 *
 * @param dial reaches the proxy
 * @param tls for the connection to the proxy itself; null in the clear
 */
export function tunnel(dial: Dial, proxy: OutboundProxy, tls: ClientTls | null): Dial {
  return (to, receiver) => {
    try {
      const target = { host: requestHost(to.host), port: to.port };
      const opening = new Opening(proxy, tls, target, receiver);
      return opening.start(dial);
    } catch (error) {
      throw proxyError(proxy, error);
    }
  };
}

export function tunnelTimedOut(proxy: OutboundProxy): Error {
  return proxyError(proxy, new Error(TIMED_OUT));
}

function proxyError(proxy: OutboundProxy, error: unknown): Error {
  if (error instanceof Error && isLocalError(error)) return error;
  const message = `outbound proxy ${formatAddress(proxy)} ${reason(error)}`;
  return new OutboundProxyError(message, { cause: error });
}

/** @throws Error for text that is no host, and must not enter a request */
function requestHost(to: string): string {
  const host = parseIp(to)?.toString() ?? canonicalName(to);
  if (host === null) throw new Error("cannot be asked for what is no host");
  return host;
}

class Opening implements DialReceiver, TlsReceiver, ScriptOwner<void> {
  readonly #proxy: OutboundProxy;
  readonly #tls: ClientTls | null;
  readonly #target: Address;
  readonly #receiver: DialReceiver;
  readonly #input = new Input();
  #connection: Connection | null = null;

  constructor(
    proxy: OutboundProxy,
    tls: ClientTls | null,
    target: Address,
    receiver: DialReceiver,
  ) {
    this.#proxy = proxy;
    this.#tls = tls;
    this.#target = target;
    this.#receiver = receiver;
  }

  start(dial: Dial): Connection {
    const { host, port } = this.#proxy;
    this.#connection = dial({ host, port }, this);
    return this.#connection;
  }

  connected(): void {
    if (this.#tls === null) this.secured();
    else this.#connection?.connectTls(this.#tls, this.#proxy.host, this);
  }

  secured(): void {
    if (this.#connection === null) return;
    const { scheme, credentials } = this.#proxy;
    const script = SCRIPTS[scheme](this.#input, this.#target, credentials);
    new ScriptRunner(this.#connection, this.#input, script, this).start();
  }

  received(): void {}
  drained(): void {}
  ended(): void {}

  closed(error: Error | null): void {
    this.#fail(error ?? new Error("closed the connection"));
  }

  finished(): void {
    const connection = this.#connection;
    if (connection === null) return;
    connection.unread(this.#input.rest());
    connection.receiver = this.#receiver;
    this.#receiver.connected();
  }

  failed(error: Error): void {
    this.#connection?.destroy();
    this.#fail(error instanceof TooLong ? new Error("sent too long response") : error);
  }

  #fail(error: Error): void {
    this.#receiver.closed(proxyError(this.#proxy, error));
  }
}
