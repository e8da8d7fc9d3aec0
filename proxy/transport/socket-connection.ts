/** A Connection on one of Node's sockets, clear or TLS. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { unixPath } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type {
  Address,
  ClientTls,
  Connection,
  DialReceiver,
  Receiver,
  ServerTls,
  TlsReceiver,
  TlsSession,
  Verification,
} from "./connection.ts";
import { isShared, returnPrivate, sharedBuffer, takePrivate } from "./read-buffer.ts";
import { type SocketOwner, awaitDrain, disown, own, ownTls } from "./socket-events.ts";
import { algorithms } from "./tls/x509/certificate-algorithms.ts";
import { SocketClientTls, SocketServerTls } from "./tls/index.ts";

/** The receiver before the first owner and after the last one. */
const DETACHED: Receiver = {
  received() {},
  drained() {},
  ended() {},
  closed() {},
};

function nothing(): void {}

/** ms for a peer to read the last bytes and close before the connection is closed anyway. */
const LINGER = 2000;

/** Bytes of a chunk from which a socket counts as busy, and so many such chunks in a row. */
const BUSY_CHUNK = 16_384;
const BUSY_CHUNKS = 2;

/** Bytes from which giving a buffer back by hand costs less than the garbage collector's work. */
const LARGE = 32_768;

export class SocketConnection implements Connection, SocketOwner {
  readonly remote: Address;
  receiver: Receiver = DETACHED;
  tls: TlsSession | null = null;
  /** Called once when the socket is gone, whatever the receiver. */
  gone: () => void = nothing;
  /** Words an error of the socket; null leaves it as it is. */
  explain: ((error: Error) => Error) | null = null;
  #socket: Socket;
  /** The socket under all TLS. */
  readonly #wire: Socket;
  #local: Address | null;
  #error: Error | null = null;
  /** Bytes that a former receiver put back. */
  #unread: Uint8Array | null = null;
  /** True while those bytes are to be handed over in the next turn. */
  #delivering = false;
  /** A handshake with a server, which explains its failure; null at any other time. */
  #handshake: SocketClientTls | null = null;
  /** Node's own calls for a socket that is paused already, or not, cost a turn. */
  #paused = false;
  #busyChunks = 0;
  /** The read buffer of a busy socket; null for the shared one. */
  #private: Buffer | null = null;
  /** When bytes were last written, on `performance.now()`'s clock. */
  #wrote = Number.NEGATIVE_INFINITY;
  #lingering: NodeJS.Timeout | undefined;

  /**
   * @param socket made with `SOCKET`
   * @param local null where the kernel is to be asked
   */
  constructor(socket: Socket, remote: Address, local: Address | null = null) {
    this.remote = remote;
    this.#local = local;
    this.#socket = socket;
    this.#wire = socket;
    own(socket, this);
  }

  /** The kernel is asked once, and only for a caller that needs the address. */
  get local(): Address {
    this.#local ??= { host: this.#socket.localAddress ?? "", port: this.#socket.localPort ?? 0 };
    return this.#local;
  }

  get queued(): number {
    return this.#socket.writableLength;
  }

  get finished(): boolean {
    return this.#socket.readableEnded && this.#unread === null;
  }

  write(bytes: Uint8Array | ByteString): boolean {
    const socket = this.#socket;
    // A socket that the peer has broken takes nothing more; `closed` is on the way.
    if (!socket.writable) return true;
    this.#wrote = performance.now();
    if (typeof bytes === "string") socket.write(bytes, "latin1");
    else socket.write(bytes);
    if (socket.writableLength === 0) return true;
    awaitDrain(socket);
    return false;
  }

  pause(): void {
    this.#delivering = false;
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (this.#unread !== null) {
      this.#delivering = true;
      process.nextTick(deliverUnread, this);
    } else if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
  }

  unread(bytes: Uint8Array): void {
    this.pause();
    if (bytes.length === 0) return;
    this.#unread = this.#unread === null ? bytes : Buffer.concat([bytes, this.#unread]);
  }

  /** Hands over what was put back, in a turn of its own, as a read would come. */
  deliverUnread(): void {
    const bytes = this.#unread;
    if (bytes === null || !this.#delivering || this.#socket.destroyed) return;
    this.#unread = null;
    this.#delivering = false;
    this.resume();
    this.deliver(bytes);
    if (this.finished) this.#notify("ended");
  }

  end(): void {
    this.#socket.end((failed?: Error | null) => {
      if (!failed) this.#notify("drained");
    });
  }

  /**
   * Closing with bytes unread would make the kernel send RST, which can overtake the last bytes written; so
   * what arrives is read and dropped until the peer closes, for at most two seconds.
   */
  close(): void {
    this.receiver = DETACHED;
    const socket = this.#socket;
    // Closed already; or to be reset, and a FIN before RST would call the end an orderly one.
    if (socket.destroyed || this.#lingering !== undefined) return;
    // With nothing queued, closing is FIN enough; TLS still owes its close_notify.
    const silent = socket.writableLength === 0 && (socket.writableEnded || this.tls === null);
    if (socket.readableEnded && silent) {
      socket.destroy();
      return;
    }
    if (!socket.writableEnded) socket.end();
    this.#dropInput();
    if (socket.readableEnded) socket.destroySoon();
    else socket.once("end", destroySoon);
    this.#lingering = setTimeout(destroy, LINGER, socket).unref();
  }

  reset(): void {
    this.receiver = DETACHED;
    if (this.#socket.destroyed) return;
    this.#dropInput();
    const left = this.#wrote + LINGER - performance.now();
    if (left <= 0) this.#abort();
    else this.#lingering = setTimeout(() => this.#abort(), left).unref();
  }

  /**
   * Reads on, to drop what arrives; but a paused socket with a buffer of its own waits. Its next read would
   * overwrite a chunk that the other side of a splice has not sent yet.
   */
  #dropInput(): void {
    if (this.#private === null || !this.#paused) this.#socket.resume();
  }

  #abort(): void {
    if (this.#socket.destroyed) return;
    // A FIN that waits behind queued bytes excludes RST; unix sockets know no RST.
    const { writableEnded, writableFinished } = this.#socket;
    if (unixPath(this.remote.host) !== null || (writableEnded && !writableFinished)) {
      this.#socket.destroy();
    } else this.#wire.resetAndDestroy();
  }

  destroy(): void {
    this.receiver = DETACHED;
    this.#socket.destroy();
  }

  acceptTls(tls: ServerTls, receiver: TlsReceiver): void {
    if (!(tls instanceof SocketServerTls)) throw new TypeError("TLS of another transport");
    this.#returnUnread();
    const secured = tls.accept(this.#socket);
    this.#secure(secured, receiver);
    // A greeting written inside the "secure" event goes out before the session ticket, and clients then
    // do not resume; one turn of the event loop lets the ticket go first.
    secured.once("secure", () =>
      setImmediate(() => this.#secured(secured, receiver, tls.verify(secured))),
    );
  }

  connectTls(tls: ClientTls, name: string, receiver: TlsReceiver): void {
    if (!(tls instanceof SocketClientTls)) throw new TypeError("TLS of another transport");
    this.#returnUnread();
    this.#handshake = tls;
    const secured = tls.connect(this.#socket, name, this.remote);
    this.#secure(secured, receiver);
    secured.once("secureConnect", () => this.#secured(secured, receiver, null));
  }

  /** Node's TLS takes what has been read too early from the socket. */
  #returnUnread(): void {
    const bytes = this.#unread;
    this.#unread = null;
    if (bytes !== null) this.#socket.unshift(bytes);
  }

  #secure(secured: TLSSocket, receiver: TlsReceiver): void {
    this.receiver = receiver;
    this.#paused = false;
    disown(this.#socket);
    this.#socket = secured;
    ownTls(secured, this);
  }

  #secured(secured: TLSSocket, receiver: TlsReceiver, verification: Verification | null): void {
    // A peer that has gone meanwhile leaves nothing to ask; `closed` reports it.
    if (secured.destroyed) return;
    this.#handshake = null;
    this.tls = {
      protocol: secured.getProtocol() ?? "",
      cipher: secured.getCipher().name,
      serverName: typeof secured.servername === "string" ? secured.servername : null,
      alpn: typeof secured.alpnProtocol === "string" ? secured.alpnProtocol : null,
      resumed: secured.isSessionReused(),
      certificate: () => algorithms(secured.getX509Certificate()),
      verification,
    };
    // The receiver may have let go of the connection before the handshake was done.
    if (this.receiver === receiver) this.#notify("secured");
  }

  read(bytes: Uint8Array): void {
    if (bytes.length >= BUSY_CHUNK) this.#busyChunks++;
    else this.#busyChunks = 0;
    this.deliver(bytes);
  }

  deliver(bytes: Uint8Array): void {
    try {
      this.receiver.received(bytes);
    } catch (error) {
      this.#fault(error);
    }
  }

  /** @returns the chunk just received, in bytes that stay as they are until `readOn` */
  keep(bytes: Uint8Array): Uint8Array {
    return isShared(bytes) ? Buffer.from(bytes) : bytes;
  }

  /** The kernel has taken a chunk from `keep`: its memory may be used again. */
  readOn(bytes: Uint8Array): void {
    // Node reads TLS into a fresh 64 KiB buffer each time; left to the garbage collector, those buffers are a
    // third of the cost of a byte.
    if (this.tls === null || bytes.length < LARGE) return;
    const { buffer } = bytes;
    if (bytes.length === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
  }

  nextBuffer(): Buffer {
    if (this.#private === null && this.#busyChunks >= BUSY_CHUNKS) this.#private = takePrivate();
    else if (this.#private !== null && this.#busyChunks === 0 && !this.#paused) {
      // Not paused: the kernel has taken the last chunk.
      returnPrivate(this.#private);
      this.#private = null;
    }
    return this.#private ?? sharedBuffer;
  }

  drained(): void {
    this.#notify("drained");
  }

  /** Bytes that were put back come before the end. */
  ended(): void {
    if (this.finished) this.#notify("ended");
  }

  connected(): void {
    this.#notify("connected");
  }

  /** A fault in the receiver ends this connection and no other. */
  #notify(event: "connected" | "secured" | "drained" | "ended"): void {
    const receiver: Partial<DialReceiver & TlsReceiver> = this.receiver;
    try {
      receiver[event]?.();
    } catch (error) {
      this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    this.#socket.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  /** After the handshake Node leaves a socket open that TLS has failed on, and reports only its end. */
  failed(error: Error): void {
    this.#error = error;
    this.#socket.destroy();
  }

  closed(): void {
    clearTimeout(this.#lingering);
    this.gone();
    this.receiver.closed(this.#closeError());
  }

  #closeError(): Error | null {
    if (this.#error !== null && this.explain !== null) return this.explain(this.#error);
    if (this.#handshake === null) return this.#error;
    return this.#handshake.explained(this.#error ?? new Error("closed in the handshake"));
  }
}

function destroySoon(this: Socket): void {
  this.destroySoon();
}

function destroy(socket: Socket): void {
  socket.destroy();
}

function deliverUnread(connection: SocketConnection): void {
  connection.deliverUnread();
}
