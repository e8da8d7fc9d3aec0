/** The portable transport, on Node's sockets. */
import { type TcpNetConnectOpts, connect, isIP } from "node:net";
import { unixPath } from "../../shared/address.ts";
import { systemReason } from "../reason.ts";
import type {
  Address,
  Connection,
  Datagrams,
  Deadline,
  DialOptions,
  Done,
  Expiring,
  Splice,
  SpliceLimits,
  Transport,
} from "./connection.ts";
import { SocketDatagrams } from "./datagrams.ts";
import { Deadlines } from "./deadlines.ts";
import { orGiveUp } from "./give-up.ts";
import { SOCKET, SocketConnection } from "./socket-connection.ts";
import { SocketSplice } from "./splice.ts";

/** There are too many connections already. */
export class NoRoom extends Error {}

/** The address to come from cannot be used. */
export class SourceError extends Error {}

const SYSTEM: DialOptions = { bind: null, keepAlive: false };

export class SocketTransport implements Transport {
  readonly #deadlines = new Deadlines();
  readonly #capacity: number;
  readonly #reserved: number;
  #open: number;
  readonly #closed = (): void => {
    this.#open--;
  };
  /** The one that has been spare for longest comes first. */
  readonly #spare = new Set<Connection>();

  /**
   * @param capacity connections that may be open at a time (nginx's `worker_connections`)
   * @param reserved those among them that are none of ours to open
   */
  constructor(capacity = Number.POSITIVE_INFINITY, reserved = 0) {
    this.#capacity = capacity;
    this.#reserved = reserved;
    this.#open = reserved;
  }

  /** Connections that are open, or being made. */
  get open(): number {
    return this.#open - this.#reserved;
  }

  admit(client: Connection): void {
    if (!(client instanceof SocketConnection)) throw new TypeError("of another transport");
    this.#count();
    client.gone = this.#closed;
  }

  async dial(
    { host, port }: Address,
    signal: AbortSignal,
    options: DialOptions = SYSTEM,
  ): Promise<Connection> {
    const path = unixPath(host);
    const to =
      path === null ? { host, port, noDelay: true, ...tcpOptions(host, options) } : { path };
    this.#count();
    const socket = connect({ ...to, ...SOCKET });
    const connected = new Promise<Connection>((resolve, reject) => {
      const failed = (error: Error): void => {
        this.#closed();
        reject(dialFailed(error, options));
      };
      socket.once("error", failed);
      socket.once("connect", () => {
        socket.off("error", failed);
        const connection = new SocketConnection(socket, { host, port });
        connection.gone = this.#closed;
        resolve(connection);
      });
    });
    return orGiveUp(connected, signal, () => socket.destroy(new Error("given up")));
  }

  datagrams(to: Address, received: (bytes: Uint8Array) => void): Datagrams {
    return new SocketDatagrams(to, received);
  }

  spare(connection: Connection, spare: boolean): void {
    if (spare) this.#spare.add(connection);
    else this.#spare.delete(connection);
  }

  /** @throws NoRoom, in nginx's words, where there is no room, and none can be made */
  #count(): void {
    if (this.#open >= this.#capacity) {
      const [oldest] = this.#spare;
      if (oldest === undefined) {
        throw new NoRoom(`${this.#capacity} worker_connections are not enough`);
      }
      this.#spare.delete(oldest);
      oldest.destroy();
    }
    this.#open++;
  }

  splice(client: Connection, upstream: Connection, limits: SpliceLimits, done: Done): Splice {
    return new SocketSplice(client, upstream, limits, this.#deadlines, done);
  }

  deadline(owner: Expiring): Deadline {
    return this.#deadlines.deadline(owner);
  }
}

/** @throws Error where the host is an address of the other family than the one to come from */
function tcpOptions(host: string, { bind, keepAlive }: DialOptions): Partial<TcpNetConnectOpts> {
  if (bind === null) return { keepAlive };
  const family = isIP(bind);
  if (![0, family].includes(isIP(host))) {
    throw new SourceError(`bind(${bind}) is of no use for ${host}, which is not IPv${family}`);
  }
  return { keepAlive, localAddress: bind, family };
}

/** nginx names the address that cannot be bound to: `bind(192.0.2.1) failed (99: Cannot assign requested address)`. */
function dialFailed(error: Error, { bind }: DialOptions): Error {
  const binding = "syscall" in error && error.syscall === "bind";
  return binding ? new SourceError(`bind(${bind}) failed (${systemReason(error)})`) : error;
}
