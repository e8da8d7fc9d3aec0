/** The portable transport, on Node's sockets. */
import { connect } from "node:net";
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
import { orGiveUp } from "./give-up.ts";
import { SocketConnection } from "./socket-connection.ts";
import { SocketSplice } from "./splice.ts";

export class SocketTransport implements Transport {
  readonly #deadlines = new Deadlines();

  dial({ host, port }: Address, signal: AbortSignal): Promise<Connection> {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const connected = new Promise<Connection>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new SocketConnection(socket, { host, port }));
      });
    });
    return orGiveUp(connected, signal, () => socket.destroy(new Error("given up")));
  }

  splice(client: Connection, upstream: Connection, limits: SpliceLimits, done: Done): Splice {
    return new SocketSplice(client, upstream, limits, this.#deadlines, done);
  }

  deadline(owner: Expiring): Deadline {
    return this.#deadlines.deadline(owner);
  }
}
