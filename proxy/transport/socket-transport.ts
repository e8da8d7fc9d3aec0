/** The portable transport, on Node's sockets. */
import { Socket, type TcpNetConnectOpts, isIP } from "node:net";
import { isLocalhost, unixPath } from "../../shared/address.ts";
import { systemReason } from "../reason.ts";
import type {
  Address,
  Connection,
  Datagrams,
  Deadline,
  DialOptions,
  DialReceiver,
  Expiring,
  Splice,
  SpliceLimits,
  SpliceOwner,
  Transport,
} from "./connection.ts";
import { SocketDatagrams } from "./datagrams.ts";
import { Deadlines } from "./deadlines.ts";
import { SocketConnection } from "./socket-connection.ts";
import { SOCKET, awaitConnect } from "./socket-events.ts";
import { SocketSplice } from "./splice.ts";

/** As many connections are open as may be. */
export class NoRoom extends Error {}

/** The local address of a dial cannot be used. */
export class SourceError extends Error {}

/** Options of dialled sockets, which Node copies. */
const NO_DELAY = { ...SOCKET, noDelay: true };
const KEPT_ALIVE = { ...NO_DELAY, keepAlive: true };

const SYSTEM: DialOptions = { bind: null, keepAlive: false };

export class SocketTransport implements Transport {
  readonly #deadlines = new Deadlines();
  readonly #capacity: number;
  readonly #reserved: number;
  #open: number;
  readonly #closed = (): void => {
    this.#open--;
  };
  /** The connection that has been spare for longest comes first. */
  readonly #spare = new Set<Connection>();

  /**
   * @param capacity connections that may be open at a time (nginx's `worker_connections`)
   * @param reserved connections of this capacity that other parts of the process use
   */
  constructor(capacity = Number.POSITIVE_INFINITY, reserved = 0) {
    this.#capacity = capacity;
    this.#reserved = reserved;
    this.#open = reserved;
  }

  /** Connections that are open, or being dialled. */
  get open(): number {
    return this.#open - this.#reserved;
  }

  admit(client: Connection): void {
    if (!(client instanceof SocketConnection)) throw new TypeError("of another transport");
    this.#count();
    client.gone = this.#closed;
  }

  dial({ host, port }: Address, receiver: DialReceiver, options: DialOptions = SYSTEM): Connection {
    const path = unixPath(host);
    const tcp = path === null ? tcpOptions(host, port, options) : null;
    this.#count();
    const socket = new Socket(options.keepAlive && tcp !== null ? KEPT_ALIVE : NO_DELAY);
    if (tcp !== null) socket.connect(tcp);
    else if (path !== null) socket.connect({ path });
    const connection = new SocketConnection(socket, { host, port });
    connection.receiver = receiver;
    connection.gone = this.#closed;
    if (options.bind !== null) connection.explain = (error) => dialFailed(error, options);
    awaitConnect(socket);
    return connection;
  }

  datagrams(to: Address, received: (bytes: Uint8Array) => void): Datagrams {
    return new SocketDatagrams(to, received);
  }

  spare(connection: Connection, spare: boolean): void {
    if (spare) this.#spare.add(connection);
    else this.#spare.delete(connection);
  }

  /** @throws NoRoom, in nginx's words, where no spare connection can be closed for the new one */
  #count(): void {
    if (this.#open >= this.#capacity) {
      const [oldest] = this.#spare;
      if (oldest === undefined) {
        throw new NoRoom(`${this.#capacity} worker_connections are not enough`);
      }
      this.#spare.delete(oldest);
      const { receiver } = oldest;
      oldest.destroy();
      receiver.closed(null);
    }
    this.#open++;
  }

  splice(
    client: Connection,
    upstream: Connection,
    limits: SpliceLimits,
    owner: SpliceOwner,
  ): Splice {
    if (!(client instanceof SocketConnection && upstream instanceof SocketConnection)) {
      throw new TypeError("of another transport");
    }
    const splice = new SocketSplice(client, upstream, limits, this.#deadlines, owner);
    splice.start();
    return splice;
  }

  deadline(owner: Expiring): Deadline {
    return this.#deadlines.deadline(owner);
  }
}

/** @throws SourceError where the host is an address of another family than the local one */
function tcpOptions(name: string, port: number, { bind }: DialOptions): TcpNetConnectOpts {
  // RFC 6761 section 6.3: the C library would ask DNS for a name below localhost.
  const host = isLocalhost(name) ? "localhost" : name;
  if (bind === null) return { host, port };
  const family = isIP(bind);
  if (![0, family].includes(isIP(host))) {
    throw new SourceError(`bind(${bind}) is of no use for ${host}, which is not IPv${family}`);
  }
  return { host, port, localAddress: bind, family };
}

/** nginx names an address that cannot be bound to: `bind(192.0.2.1) failed (99: Cannot assign requested address)`. */
function dialFailed(error: Error, { bind }: DialOptions): Error {
  const binding = "syscall" in error && error.syscall === "bind";
  return binding ? new SourceError(`bind(${bind}) failed (${systemReason(error)})`) : error;
}
