/** The transport of a simulated network. The splice is the real one. */
import type { Deadline, Expiring, Splice } from "../../../proxy/transport/index.ts";
import {
  type Address,
  type Connection,
  type Datagrams,
  type DialReceiver,
  NoRoom,
  type SpliceOwner,
  type Transport,
} from "../../../proxy/transport/index.ts";
import type { SocketConnection } from "../../../proxy/transport/socket-connection.ts";
import { SocketSplice } from "../../../proxy/transport/splice.ts";
import type { SimConnection } from "./connection.ts";
import type { Network } from "./network.ts";

export class SimTransport implements Transport {
  readonly #network: Network;
  readonly #connect: (to: Address) => SimConnection;

  readonly #relaying: (upstream: SimConnection) => void;

  /**
   * @param connect makes the connection that is dialled
   * @param relaying hears of an upstream between which and a client bytes move from now on
   */
  constructor(
    network: Network,
    connect: (to: Address) => SimConnection,
    relaying: (upstream: SimConnection) => void = () => {},
  ) {
    this.#network = network;
    this.#connect = connect;
    this.#relaying = relaying;
  }

  admit(): void {}

  dial(to: Address, receiver: DialReceiver): Connection {
    if (this.#network.choices.oneIn(50)) {
      this.#network.trace(() => "there is no room for another connection");
      throw new NoRoom("4 worker_connections are not enough");
    }
    const connection = this.#connect(to);
    connection.receiver = receiver;
    return connection;
  }

  spare(): void {}

  datagrams(): Datagrams {
    throw new Error("a session sends no datagram");
  }

  splice(
    client: Connection,
    upstream: Connection,
    limits: Parameters<Transport["splice"]>[2],
    owner: SpliceOwner,
  ): Splice {
    this.#relaying(upstream as SimConnection);
    const [one, other] = [client, upstream] as unknown as [SocketConnection, SocketConnection];
    const splice = new SocketSplice(one, other, limits, this, owner);
    splice.start();
    return splice;
  }

  deadline(owner: Expiring): Deadline {
    return this.#network.clock.deadline(owner);
  }
}
