/** The portable transport, on Node's sockets. */
import { type Socket, connect } from "node:net";
import type {
  Address,
  Connection,
  Deadline,
  Done,
  Expiring,
  Splice,
  SpliceLimits,
  Transport,
} from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import { SocketConnection } from "./socket-connection.ts";
import { SocketSplice } from "./splice.ts";

export class SocketTransport implements Transport {
  readonly #deadlines = new Deadlines();

  dial({ host, port }: Address, signal: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
      const giveUp = (): void =>
        void socket.destroy(new Error("given up", { cause: signal.reason }));
      signal.addEventListener("abort", giveUp, { once: true });
      socket.once("error", (error) => {
        signal.removeEventListener("abort", giveUp);
        reject(error);
      });
      socket.once("connect", () => {
        signal.removeEventListener("abort", giveUp);
        socket.removeAllListeners("error");
        resolve(new SocketConnection(socket));
      });
    });
  }

  splice(client: Connection, upstream: Connection, limits: SpliceLimits, done: Done): Splice {
    return new SocketSplice(client, upstream, limits, this.#deadlines, done);
  }

  deadline(owner: Expiring): Deadline {
    return this.#deadlines.deadline(owner);
  }
}

/** A socket that a server has accepted, as a connection. */
export function accepted(socket: Socket): Connection {
  return new SocketConnection(socket);
}
