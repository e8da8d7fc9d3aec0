/**
 * A connection between Postern and a simulated peer, with the bytes under way in both directions. It keeps the
 * contract of `Connection` as Node's sockets keep it, and reports each breach by Postern.
 */
import type {
  Address,
  ClientTls,
  Connection,
  DialReceiver,
  Receiver,
  ServerTls,
  TlsReceiver,
  TlsSession,
} from "../../../proxy/transport/index.ts";
import { Arrivals } from "./arrivals.ts";
import type { Clock } from "./clock.ts";
import type { Add, Network, Peer } from "./network.ts";
import { Outgoing } from "./outgoing.ts";

const NONE: Receiver = { received() {}, drained() {}, ended() {}, closed() {} };

/** ms, as Node's sockets wait for a peer that reads its last bytes. */
const LINGER = 2000;

const TLS_SESSION: TlsSession = {
  protocol: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  serverName: null,
  alpn: null,
  resumed: false,
  certificate: () => null,
  verification: null,
};

/** Bytes of one delivery are overwritten when the receiver returns, as the next read of a socket does. */
const shared = Buffer.alloc(65_536);

export class SimConnection implements Connection {
  readonly name: string;
  readonly remote: Address;
  readonly local: Address = { host: "192.0.2.1", port: 143 };
  receiver: Receiver = NONE;
  tls: TlsSession | null = null;
  finished = false;
  /** True once the connection is gone for Postern. */
  gone = false;
  /** True once the peer has broken the connection. */
  broken = false;
  /** True once the peer speaks under TLS. */
  peerSecured = false;
  /** The last bytes that Postern has written. */
  lastWritten = "";
  readonly peer: Peer;
  readonly #network: Network;
  readonly #arrivals = new Arrivals();
  readonly #outgoing: Outgoing;
  #dialling: boolean;
  #handshaking: "server" | "client" | null = null;
  #paused = false;
  #unread = "";
  #mustDrain = false;
  /** The end that Postern has put to the connection, or to its own direction. */
  #end: "open" | "ended" | "closed" | "reset" = "open";
  /** True once the peer was told of the end. */
  #endTold = false;
  #endFlushed = false;
  /** An event that Node delivers in a turn of its own. */
  #pending: "secured" | "drained" | null = null;
  #error: Error | null = null;
  /** Gives up waiting for the peer's last bytes. */
  #linger: ReturnType<Clock["set"]> | undefined;

  /**
   * @param window bytes that the kernel holds for the peer
   * @param dialling true for a connection that Postern opens
   */
  constructor(
    network: Network,
    name: string,
    remote: Address,
    peer: (connection: SimConnection) => Peer,
    window: number,
    dialling: boolean,
  ) {
    this.#network = network;
    this.name = name;
    this.remote = remote;
    this.#outgoing = new Outgoing(window);
    this.#dialling = dialling;
    this.peer = peer(this);
  }

  // Postern's end.

  get queued(): number {
    return this.#outgoing.queued;
  }

  write(bytes: Uint8Array | string): boolean {
    const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1");
    if (this.#end !== "open") this.#network.violation(`${this.name}: bytes written after the end`);
    if (this.#dialling) this.#network.violation(`${this.name}: bytes written before it is open`);
    this.#network.trace(() => `Postern writes to ${this.name}: ${JSON.stringify(text)}`);
    this.lastWritten = text;
    if (this.gone || this.#error !== null) return true;
    this.#outgoing.add(text);
    this.#fill();
    if (this.queued === 0) return true;
    this.#mustDrain = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#unread === "") return;
    this.#network.soon(() => {
      const text = this.#unread;
      if (text === "" || this.#paused || this.gone) return;
      this.#unread = "";
      this.#deliver(text);
      if (this.finished) this.#tell((receiver) => receiver.ended());
    });
  }

  unread(bytes: Uint8Array): void {
    this.#paused = true;
    this.#unread = Buffer.from(bytes).toString("latin1") + this.#unread;
  }

  end(): void {
    if (this.#end !== "open") this.#network.violation(`${this.name}: ended twice`);
    this.#network.trace(() => `Postern ends ${this.name}`);
    this.#end = "ended";
    this.#mustDrain = false;
  }

  close(): void {
    this.receiver = NONE;
    if (this.gone || this.#end === "closed" || this.#end === "reset") return;
    this.#network.trace(() => `Postern closes ${this.name}`);
    this.#end = "closed";
    this.#paused = false;
    this.#linger = this.#network.clock.set(() => this.#vanish(), LINGER);
  }

  reset(): void {
    this.receiver = NONE;
    if (this.gone) return;
    this.#network.trace(() => `Postern resets ${this.name}`);
    if (this.#end !== "reset") this.#network.clock.clear(this.#linger);
    this.#end = "reset";
    this.#linger = this.#network.clock.set(() => this.#vanish(), LINGER);
  }

  destroy(): void {
    this.receiver = NONE;
    if (this.gone) return;
    this.#network.trace(() => `Postern destroys ${this.name}`);
    this.#vanish();
  }

  acceptTls(_tls: ServerTls, receiver: TlsReceiver): void {
    this.#secure("server", receiver);
  }

  connectTls(_tls: ClientTls, _name: string, receiver: TlsReceiver): void {
    this.#secure("client", receiver);
  }

  #secure(side: "server" | "client", receiver: TlsReceiver): void {
    if (this.tls !== null) this.#network.violation(`${this.name}: TLS within TLS`);
    this.#arrivals.putBack(this.#unread);
    this.#unread = "";
    this.#handshaking = side;
    this.receiver = receiver;
    this.#paused = false;
  }

  /** For the splice, as Node's sockets have it. */
  keep(bytes: Uint8Array): Uint8Array {
    return Buffer.from(bytes);
  }

  readOn(): void {}

  // The peer's end.

  /** The peer sends. */
  send(text: string): void {
    if (text === "" || this.gone) return;
    this.#arrivals.add(this.peerSecured ? "tls" : "clear", text);
  }

  /** The peer begins the handshake; it speaks under TLS from now on. */
  hello(): void {
    this.#network.trace(() => `${this.name} begins its handshake`);
    this.#arrivals.add("hello");
    this.peerSecured = true;
  }

  finish(): void {
    this.#network.trace(() => `${this.name} ends its direction`);
    this.#arrivals.add("fin");
  }

  break(): void {
    if (this.gone || this.#error !== null) return;
    this.#network.trace(() => `${this.name} breaks`);
    this.#error = new Error("ECONNRESET");
    this.#outgoing.readAll();
    this.broken = true;
  }

  // The network between.

  /** The events that wait for no peer. */
  ownOptions(add: Add): void {
    if (this.gone) return;
    if (this.#pending !== null) add(6, () => this.#deliverPending());
    else if (this.#error !== null) add(4, () => this.#close(this.#error));
    else if (this.#end === "ended" && this.queued === 0 && !this.#endFlushed) {
      add(6, () => this.#flushed());
    } else if (this.finished && this.#endFlushed) add(6, () => this.#close(null));
    else if (this.#end === "closed" && this.queued === 0 && this.#hasFinished) {
      add(6, () => this.#vanish());
    }
  }

  /** The events that the peer and the network between decide. */
  peerOptions(add: Add): void {
    if (this.#outgoing.sent > 0) add(4, () => this.#peerReads());
    else if (this.queued === 0 && this.#end !== "open" && !this.#endTold) {
      add(3, () => this.#tellEnd());
    }
    if (this.gone || this.#error !== null || this.#pending === "secured") return;
    if (this.#dialling) {
      add(8, () => this.#connect());
      add(this.#network.mishaps.breaks, () => this.#close(new Error("ECONNREFUSED")));
    } else if (this.#handshaking !== null) this.#handshakeOptions(this.#handshaking, add);
    else if (!this.#paused && this.#unread === "" && this.#end !== "closed") {
      if (this.#arrivals.next === "fin") add(4, () => this.#receiveEnd());
      else if (this.#arrivals.next !== undefined) add(8, () => this.#receive());
    }
  }

  #handshakeOptions(side: "server" | "client", add: Add): void {
    const { next } = this.#arrivals;
    if (next === "hello" || (next === undefined && side === "client")) {
      add(8, () => this.#finishHandshake());
      add(this.#network.mishaps.breaks, () => this.#close(new Error("unknown CA")));
    } else if (next !== undefined) add(4, () => this.#close(new Error("no TLS")));
  }

  #receive(): void {
    const { text, tls } = this.#arrivals.take(this.#network.choices);
    if (this.tls !== null && !tls) this.#close(new Error("bytes in the clear under TLS"));
    else this.#arrive(this.tls === null && tls ? "\x17".repeat(text.length) : text);
  }

  #arrive(text: string): void {
    this.#network.trace(() => `Postern receives from ${this.name}: ${JSON.stringify(text)}`);
    this.#deliver(text);
  }

  #deliver(text: string): void {
    const bytes = text.length > shared.length ? Buffer.alloc(text.length) : shared;
    const filled = bytes.subarray(0, bytes.write(text, "latin1"));
    this.#tell((receiver) => receiver.received(filled));
    filled.fill(0x2a);
  }

  #receiveEnd(): void {
    this.#arrivals.skip();
    this.#network.trace(() => `Postern receives the end of ${this.name}`);
    this.finished = true;
    this.#tell((receiver) => receiver.ended());
  }

  #connect(): void {
    this.#dialling = false;
    this.#network.trace(() => `${this.name} is connected`);
    this.peer.ready();
    this.#tell((receiver) => (receiver as DialReceiver).connected());
  }

  #finishHandshake(): void {
    if (this.#arrivals.next === "hello") this.#arrivals.skip();
    this.#network.trace(() => `${this.name} has finished its handshake`);
    this.#handshaking = null;
    this.#fill();
    this.#pending = "secured";
    this.peerSecured = true;
    this.tls = TLS_SESSION;
    this.peer.ready();
  }

  #flushed(): void {
    this.#endFlushed = true;
    this.#tell((receiver) => receiver.drained());
  }

  #deliverPending(): void {
    const event = this.#pending;
    this.#pending = null;
    // The receiver may have let go of the connection before the handshake was done.
    if (event === "secured")
      this.#tell((receiver) => (receiver as Partial<TlsReceiver>).secured?.());
    // More may have been written meanwhile.
    else if (this.queued > 0) this.#mustDrain = true;
    else if (this.#end === "open") this.#tell((receiver) => receiver.drained());
  }

  #peerReads(): void {
    const text = this.#outgoing.read(this.#network.choices);
    this.#fill();
    if (this.#mustDrain && this.queued === 0 && !this.gone) {
      this.#mustDrain = false;
      this.#pending ??= "drained";
    }
    this.#network.trace(() => `${this.name} reads ${JSON.stringify(text)}`);
    this.peer.received(text);
  }

  /** The peer reads what is left. */
  readAll(): void {
    this.peer.received(this.#outgoing.readAll());
  }

  #tellEnd(): void {
    this.#endTold = true;
    this.#network.trace(() => `${this.name} is told the end`);
    this.peer.ended();
  }

  /** True once the peer's end has arrived, whether Postern has read up to it or not. */
  get #hasFinished(): boolean {
    return this.finished || this.#arrivals.hasEnd;
  }

  /** Bytes that are written during a handshake go out under TLS. */
  #fill(): void {
    if (this.#handshaking === null) this.#outgoing.fill();
  }

  /** The connection is gone without Postern's doing. */
  #close(error: Error | null): void {
    const { receiver } = this;
    this.#vanish();
    this.#network.trace(
      () => `Postern is told that ${this.name} is gone: ${error?.message ?? "closed"}`,
    );
    this.receiver = receiver;
    this.#tell((told) => told.closed(error));
    this.receiver = NONE;
  }

  #vanish(): void {
    if (this.gone) this.#network.violation(`${this.name}: gone twice`);
    this.gone = true;
    this.#outgoing.dropQueue();
    this.#pending = null;
    if (this.#end === "open") this.#end = "closed";
    this.#network.clock.clear(this.#linger);
  }

  #tell(event: (receiver: Receiver) => void): void {
    try {
      event(this.receiver);
    } catch (error) {
      this.#network.violation(`an exception: ${(error as Error).stack}`);
    }
  }
}
