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
import type { Choices } from "./choices.ts";
import type { Clock } from "./clock.ts";

/** Factors by which mishaps are more likely; 0 for never. Each run has its own, so that many go well to the end. */
export interface Mishaps {
  /** A timer fires before what it waits for. */
  readonly time: number;
  /** Connections fail, break and end. */
  readonly breaks: number;
  /** An operator kicks, drains and stops. */
  readonly operator: number;
}

/** The run that a connection is part of. */
export interface Network {
  readonly clock: Clock;
  readonly choices: Choices;
  /** How likely each kind of mishap is in this run. */
  readonly mishaps: Mishaps;
  /** Adds a line to the script of events, where one is wanted. */
  trace(line: () => string): void;
  /** Postern has broken a promise. */
  violation(promise: string): void;
  /** Runs right behind the present event, as `process.nextTick` would. */
  soon(run: () => void): void;
  /** A peer has broken its connection. */
  connectionBroken(connection: SimConnection): void;
}

/** The other end. */
export interface Peer {
  /** The connection is established, or TLS is. */
  ready(): void;
  /** The peer has read bytes. */
  received(text: string): void;
  /** Postern has ended its direction, and everything before has been read. */
  ended(): void;
}

/** A run of bytes towards Postern. A hello is the start of the peer's handshake. */
interface Segment {
  readonly kind: "clear" | "tls" | "hello" | "fin";
  /** Empty for a hello and for the end. */
  text: string;
}

/** Adds something that may happen next. */
export type Add = (weight: number, happen: () => void) => void;

const HELLO = "\x16\x03\x01";

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
  /** True once the peer speaks under TLS. */
  peerSecured = false;
  /** The last bytes that Postern has written. */
  lastWritten = "";
  readonly peer: Peer;
  readonly #network: Network;
  readonly #arriving: Segment[] = [];
  /** Bytes that the kernel has taken and the peer has not read. */
  #sent = "";
  /** Bytes that the kernel has not taken. */
  #queue = "";
  readonly #window: number;
  #dialling: boolean;
  #handshaking: "server" | "client" | null = null;
  #paused = false;
  #unread = "";
  #mustDrain = false;
  /** How Postern has ended the connection, or its direction of it. */
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
    this.#window = window;
    this.#dialling = dialling;
    this.peer = peer(this);
  }

  // Postern's end.

  get queued(): number {
    return this.#queue.length;
  }

  write(bytes: Uint8Array | string): boolean {
    const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1");
    if (this.#end !== "open") this.#network.violation(`${this.name}: bytes written after the end`);
    if (this.#dialling) this.#network.violation(`${this.name}: bytes written before it is open`);
    this.#network.trace(() => `Postern writes to ${this.name}: ${JSON.stringify(text)}`);
    this.lastWritten = text;
    if (this.gone || this.#error !== null) return true;
    this.#queue += text;
    this.#fill();
    if (this.#queue === "") return true;
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
    if (this.#unread === HELLO) this.#arriving.unshift({ kind: "hello", text: "" });
    else if (this.#unread !== "") this.#arriving.unshift({ kind: "clear", text: this.#unread });
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
    const kind = this.peerSecured ? "tls" : "clear";
    const last = this.#arriving.at(-1);
    // Bytes under way are a stream: a read takes what has arrived, whoever wrote it when.
    if (last?.kind === kind) last.text += text;
    else this.#arriving.push({ kind, text });
  }

  /** The peer begins the handshake; it speaks under TLS from now on. */
  hello(): void {
    this.#network.trace(() => `${this.name} begins its handshake`);
    this.#arriving.push({ kind: "hello", text: "" });
    this.peerSecured = true;
  }

  finish(): void {
    this.#network.trace(() => `${this.name} ends its direction`);
    this.#arriving.push({ kind: "fin", text: "" });
  }

  break(): void {
    if (this.gone || this.#error !== null) return;
    this.#network.trace(() => `${this.name} breaks`);
    this.#error = new Error("ECONNRESET");
    this.#sent = "";
    this.#network.connectionBroken(this);
  }

  // The network between.

  /** The events that wait for no peer. */
  ownOptions(add: Add): void {
    if (this.gone) return;
    if (this.#pending !== null) add(6, () => this.#deliverPending());
    else if (this.#error !== null) add(4, () => this.#close(this.#error));
    else if (this.#end === "ended" && this.#queue === "" && !this.#endFlushed) {
      add(6, () => this.#flushed());
    } else if (this.finished && this.#endFlushed) add(6, () => this.#close(null));
    else if (this.#end === "closed" && this.#queue === "" && this.#hasFinished) {
      add(6, () => this.#vanish());
    }
  }

  /** The events that the peer and the network between decide. */
  peerOptions(add: Add): void {
    if (this.#sent !== "") add(4, () => this.#peerReads());
    else if (this.#queue === "" && this.#end !== "open" && !this.#endTold) {
      add(3, () => this.#tellEnd());
    }
    if (this.gone || this.#error !== null || this.#pending === "secured") return;
    if (this.#dialling) {
      add(8, () => this.#connect());
      add(this.#network.mishaps.breaks, () => this.#close(new Error("ECONNREFUSED")));
    } else if (this.#handshaking !== null) this.#handshakeOptions(this.#handshaking, add);
    else if (!this.#paused && this.#unread === "" && this.#end !== "closed") this.#arrivals(add);
  }

  #handshakeOptions(side: "server" | "client", add: Add): void {
    const [first] = this.#arriving;
    const isGood = first === undefined ? side === "client" : first.kind === "hello";
    if (first?.kind === "fin") add(4, () => this.#failHandshake("closed in the handshake"));
    else if (first !== undefined && !isGood) add(4, () => this.#failHandshake("no TLS"));
    else if (isGood) {
      add(8, () => this.#finishHandshake());
      add(this.#network.mishaps.breaks, () => this.#failHandshake("unknown CA"));
    }
  }

  #arrivals(add: Add): void {
    const [first, second] = this.#arriving;
    switch (first?.kind) {
      case "fin":
        add(4, () => this.#receiveEnd());
        break;
      case "hello":
      case "clear":
      case "tls":
        add(8, () => this.#receive(first, second));
        break;
      case undefined:
        break;
    }
  }

  #receive(first: Segment, second: Segment | undefined): void {
    const isWhole =
      first.kind === "hello" || first.kind === "fin" || !this.#network.choices.oneIn(3);
    if (isWhole) this.#arriving.shift();
    if (first.kind === "hello" || first.kind === "fin") {
      // A hello that no one waits for is text.
      this.#arrive(HELLO);
      return;
    }
    const { text } = first;
    const count = isWhole ? text.length : 1 + this.#network.choices.below(text.length);
    const taken = text.slice(0, count);
    if (!isWhole && count === text.length) this.#arriving.shift();
    else first.text = text.slice(count);
    const isTls = first.kind === "tls";
    if (this.tls !== null && !isTls) this.#close(new Error("bytes in the clear under TLS"));
    else if (isWhole && !isTls && second?.kind === "hello" && this.#network.choices.oneIn(3)) {
      this.#arriving.shift();
      this.#arrive(taken + HELLO);
    } else this.#arrive(this.tls === null && isTls ? "\x17".repeat(taken.length) : taken);
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
    this.#arriving.shift();
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
    if (this.#arriving[0]?.kind === "hello") this.#arriving.shift();
    this.#network.trace(() => `${this.name} has finished its handshake`);
    this.#handshaking = null;
    this.#fill();
    this.#pending = "secured";
    this.peerSecured = true;
    this.tls = TLS_SESSION;
    this.peer.ready();
  }

  #failHandshake(why: string): void {
    this.#close(new Error(why));
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
    else if (this.#queue !== "") this.#mustDrain = true;
    else if (this.#end === "open") this.#tell((receiver) => receiver.drained());
  }

  #peerReads(): void {
    const { choices } = this.#network;
    const count = choices.oneIn(3) ? 1 + choices.below(this.#sent.length) : this.#sent.length;
    const text = this.#sent.slice(0, count);
    this.#sent = this.#sent.slice(count);
    this.#fill();
    if (this.#mustDrain && this.#queue === "" && !this.gone) {
      this.#mustDrain = false;
      this.#pending ??= "drained";
    }
    this.#network.trace(() => `${this.name} reads ${JSON.stringify(text)}`);
    this.peer.received(text);
  }

  /** The peer reads what is left. */
  readAll(): void {
    const text = this.#sent;
    this.#sent = "";
    this.peer.received(text);
  }

  #tellEnd(): void {
    this.#endTold = true;
    this.#network.trace(() => `${this.name} is told the end`);
    this.peer.ended();
  }

  /** True once the peer's end has arrived, whether Postern has read up to it or not. */
  get #hasFinished(): boolean {
    return this.finished || this.#arriving.some(({ kind }) => kind === "fin");
  }

  #fill(): void {
    const room = this.#window - this.#sent.length;
    // What is written in a handshake goes out under TLS.
    if (room <= 0 || this.#queue === "" || this.#handshaking !== null) return;
    this.#sent += this.#queue.slice(0, room);
    this.#queue = this.#queue.slice(room);
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
    this.#queue = "";
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
