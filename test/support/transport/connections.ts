// Pairs of a `Connection` and a plain socket of Node at its other end.
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import {
  type Connection,
  type Receiver,
  SocketTransport,
  accept,
  bind,
  openConnection,
} from "../../../proxy/transport/index.ts";
import { freePorts } from "../programs/ports.ts";

export const transport = new SocketTransport();

export type Pair = { readonly peer: Socket; readonly connection: Connection };

/** An accepted connection. It is paused, and keeps what it receives. */
export async function accepted(): Promise<Pair> {
  const [port] = await freePorts(1);
  const arrived = Promise.withResolvers<Connection>();
  const address = { host: "127.0.0.1", port: port! };
  const listener = accept(
    bind(address),
    { ...address, backlog: 8, keepAlive: null },
    (connection) => {
      connection.pause();
      arrived.resolve(connection);
    },
    arrived.reject,
  );
  const peer = connect({ port: port!, host: "127.0.0.1", allowHalfOpen: true });
  const [connection] = await Promise.all([arrived.promise, once(peer, "connect")]);
  listener.close();
  return { peer, connection };
}

/** A dialled connection. */
export async function dialled(): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const arrived = once(server, "connection") as Promise<[Socket]>;
  const { port } = server.address() as AddressInfo;
  const connection = await openConnection(
    transport,
    { host: "127.0.0.1", port },
    new AbortController().signal,
  );
  const [peer] = await arrived;
  server.close();
  return { peer, connection };
}

/** Records the events of a connection. */
export class RecordingReceiver implements Receiver {
  text = "";
  readonly ending = Promise.withResolvers<void>();
  readonly closing = Promise.withResolvers<Error | null>();
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.receiver = this;
    connection.resume();
    if (connection.finished) this.ended();
  }

  received(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString("latin1");
  }
  drained(): void {}
  ended(): void {
    this.ending.resolve();
  }
  closed(error: Error | null): void {
    this.closing.resolve(error);
    this.#connection.receiver = this;
  }
}

/** Reads a socket up to its FIN. */
export async function rest(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.resume();
  if (!socket.readableEnded) await once(socket, "end");
  return text;
}
