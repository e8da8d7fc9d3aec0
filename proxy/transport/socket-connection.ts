/** A Connection on one of Node's sockets, clear or TLS. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { unixPath } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type {
  Address,
  ClientTls,
  Connection,
  Receiver,
  ServerTls,
  TlsSession,
  Verification,
} from "./connection.ts";
import { algorithms } from "./tls/x509/certificate-algorithms.ts";
import { SocketClientTls, SocketServerTls } from "./tls/index.ts";

/** Until an owner is set, and after the last one has let go. */
const NOBODY: Receiver = {
  received() {},
  drained() {},
  ended() {},
  closed() {},
};

function nothing(): void {}

/** ms for a peer to read our last words and close before we do. */
const LINGER = 2000;

/** Bytes queued from which a speaker waits for its peer to read. */
const FULL = 65_536;

/**
 * How Node's sockets are made. With the least of marks a socket that is paused holds what one more read
 * brings (64 KiB) and then stops reading, and each queue tells when it has gone.
 */
export const SOCKET = { allowHalfOpen: true, highWaterMark: 1 } as const;

/** The connection that a socket's events belong to: a property, so that all sockets share five listeners. */
const connectionOf = Symbol("connection");

interface Owned {
  [connectionOf]?: SocketConnection;
}

export class SocketConnection implements Connection {
  readonly remote: Address;
  receiver: Receiver = NOBODY;
  tls: TlsSession | null = null;
  /** Called when it is gone, whoever owns it. */
  gone: () => void = nothing;
  #socket: Socket;
  /** The socket under all TLS. */
  readonly #wire: Socket;
  #local: Address | null;
  #error: Error | null = null;
  /** When something was last written, on `performance.now()`'s clock. */
  #wrote = Number.NEGATIVE_INFINITY;
  #lingering: NodeJS.Timeout | undefined;

  /**
   * @param socket connected, and made as `SOCKET` says
   * @param local where the kernel cannot be asked
   */
  constructor(socket: Socket, remote: Address, local: Address | null = null) {
    this.remote = remote;
    this.#local = local;
    this.#socket = socket;
    this.#wire = socket;
    own(socket, this);
  }

  /** Asked of the kernel once, and only where somebody wants to know. */
  get local(): Address {
    this.#local ??= { host: this.#socket.localAddress ?? "", port: this.#socket.localPort ?? 0 };
    return this.#local;
  }

  get queued(): number {
    return this.#socket.writableLength;
  }

  get finished(): boolean {
    return this.#socket.readableEnded;
  }

  write(bytes: Uint8Array | ByteString): boolean {
    // A socket that the peer has broken takes nothing more; its `closed` is on the way.
    const socket = this.#socket;
    if (!socket.writable) return true;
    this.#wrote = performance.now();
    if (typeof bytes === "string") socket.write(bytes, "latin1");
    else socket.write(bytes);
    return socket.writableLength < FULL;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#socket.pause();
    this.#socket.unshift(bytes);
  }

  end(): void {
    this.#socket.end((failed?: Error | null) => {
      if (!failed) this.receiver.drained();
    });
  }

  /**
   * Closing with bytes unread would make the kernel send RST, which can overtake our last words; so what
   * arrives is read and dropped until the peer closes, for at most two seconds.
   */
  close(): void {
    this.receiver = NOBODY;
    const socket = this.#socket;
    if (socket.destroyed) return;
    // With nothing left to say, closing is FIN enough; TLS still owes its close_notify.
    const silent = socket.writableLength === 0 && (socket.writableEnded || this.tls === null);
    if (socket.readableEnded && silent) {
      socket.destroy();
      return;
    }
    if (!socket.writableEnded) socket.end();
    socket.resume();
    if (socket.readableEnded) socket.destroySoon();
    else socket.once("end", () => socket.destroySoon());
    this.#lingering = setTimeout(() => socket.destroy(), LINGER).unref();
  }

  reset(): void {
    this.receiver = NOBODY;
    if (this.#socket.destroyed) return;
    this.#socket.resume();
    const left = this.#wrote + LINGER - performance.now();
    if (left <= 0) this.#abort();
    else this.#lingering = setTimeout(() => this.#abort(), left).unref();
  }

  #abort(): void {
    if (this.#socket.destroyed) return;
    // FIN that cannot go out because the queue does not excludes RST; and unix sockets know none.
    const { writableEnded, writableFinished } = this.#socket;
    if (unixPath(this.remote.host) !== null || (writableEnded && !writableFinished)) {
      this.#socket.destroy();
    } else this.#wire.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  acceptTls(tls: ServerTls): Promise<void> {
    if (!(tls instanceof SocketServerTls)) throw new TypeError("TLS of another transport");
    // A greeting written inside the "secure" event goes out before the session ticket, and clients then
    // do not resume; one turn of the event loop lets the ticket go first.
    return this.#secured(tls.accept(this.#socket), "secure", setImmediate, (secured) =>
      tls.verify(secured),
    );
  }

  async connectTls(tls: ClientTls, name: string): Promise<void> {
    if (!(tls instanceof SocketClientTls)) throw new TypeError("TLS of another transport");
    const secured = tls.connect(this.#socket, name, this.remote);
    try {
      await this.#secured(secured, "secureConnect", queueMicrotask, () => null);
    } catch (error) {
      throw tls.explained(error);
    }
  }

  #secured(
    secured: TLSSocket,
    event: "secure" | "secureConnect",
    then: (callback: () => void) => void,
    verify: (secured: TLSSocket) => Verification | null,
  ): Promise<void> {
    disown(this.#socket);
    this.#socket = secured;
    own(secured, this);
    return new Promise((resolve, reject) => {
      const failed = (): void => reject(this.#error ?? new Error("closed in the handshake"));
      secured.once("close", failed);
      secured.once(event, () =>
        then(() => {
          // A peer that has gone meanwhile leaves nothing to ask; its close says so.
          if (secured.destroyed) return;
          secured.off("close", failed);
          this.tls = {
            protocol: secured.getProtocol() ?? "",
            cipher: secured.getCipher().name,
            serverName: typeof secured.servername === "string" ? secured.servername : null,
            alpn: typeof secured.alpnProtocol === "string" ? secured.alpnProtocol : null,
            resumed: secured.isSessionReused(),
            certificate: () => algorithms(secured.getX509Certificate()),
            verification: verify(secured),
          };
          resolve();
        }),
      );
    });
  }

  /** After the handshake Node leaves a socket open that TLS has failed on, and tells of its end alone. */
  failed(error: Error): void {
    this.#error = error;
    this.#socket.destroy();
  }

  closed(): void {
    clearTimeout(this.#lingering);
    this.gone();
    this.receiver.closed(this.#error);
  }
}

function own(socket: Socket & Owned, connection: SocketConnection): void {
  socket[connectionOf] = connection;
  socket.on("data", onData);
  socket.on("drain", onDrain);
  socket.on("end", onEnd);
  socket.on("error", onError);
  socket.on("close", onClose);
}

function disown(socket: Socket): void {
  socket.off("data", onData);
  socket.off("drain", onDrain);
  socket.off("end", onEnd);
  socket.off("close", onClose);
}

/** A fault in whoever receives ends this connection and no other. */
function onData(this: Socket & Owned, chunk: Uint8Array): void {
  try {
    this[connectionOf]?.receiver.received(chunk);
  } catch (error) {
    this.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
function onDrain(this: Owned): void {
  this[connectionOf]?.receiver.drained();
}
function onEnd(this: Owned): void {
  this[connectionOf]?.receiver.ended();
}
function onError(this: Owned, error: Error): void {
  this[connectionOf]?.failed(error);
}
function onClose(this: Owned): void {
  this[connectionOf]?.closed();
}
