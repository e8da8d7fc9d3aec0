// The transport for tests that await: dials and handshakes as promises.
import type { SocketConnection } from "../../../proxy/transport/socket-connection.ts";
import type {
  ClientTls,
  Connection,
  Receiver,
  ServerTls,
  TlsReceiver,
} from "../../../proxy/transport/index.ts";

/** Answers the peer's handshake. The connection's receiver stays what it is. @throws Error where it fails */
export function acceptTlsOn(connection: Connection, tls: ServerTls): Promise<void> {
  return awaitTls(connection, (receiver) => connection.acceptTls(tls, receiver));
}

/** Opens TLS with the peer. The connection's receiver stays what it is. @throws Error where it fails */
export function connectTlsOn(connection: Connection, tls: ClientTls, name: string): Promise<void> {
  return awaitTls(connection, (receiver) => connection.connectTls(tls, name, receiver));
}

function awaitTls(connection: Connection, begin: (receiver: TlsReceiver) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  begin(new Handshake(connection, connection.receiver, resolve, reject));
  // A connection that its owner destroys tells its receiver nothing.
  const { gone } = connection as SocketConnection;
  (connection as SocketConnection).gone = () => {
    gone();
    // The receiver, if there is one, hears the reason right behind this call.
    queueMicrotask(() => reject(new Error("closed in the handshake")));
  };
  return promise;
}

class Handshake implements TlsReceiver {
  readonly #connection: Connection;
  readonly #owner: Receiver;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor(
    connection: Connection,
    owner: Receiver,
    resolve: () => void,
    reject: (error: Error) => void,
  ) {
    this.#connection = connection;
    this.#owner = owner;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  secured(): void {
    this.#connection.receiver = this.#owner;
    this.#resolve();
  }
  received(bytes: Uint8Array): void {
    this.#owner.received(bytes);
  }
  drained(): void {
    this.#owner.drained();
  }
  ended(): void {
    this.#owner.ended();
  }
  closed(error: Error | null): void {
    this.#owner.closed(error);
    this.#reject(error ?? new Error("closed in the handshake"));
  }
}
