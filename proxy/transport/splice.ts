/**
 * The splice: bytes from each side to the other until both have ended.
 *
 * Each side has one pump as its receiver for the whole time. A pump pauses its side while the other side has
 * not taken a chunk. FIN is passed on, and the other direction goes on (nginx closes both at the first FIN, and
 * loses answers that were under way). Where one side fails, by a reset or another error, the other side is
 * sent the bytes already read and is then reset.
 */
import type {
  Deadline,
  Expiring,
  Receiver,
  Splice,
  SpliceEnd,
  SpliceLimits,
  SpliceOwner,
} from "./connection.ts";
import type { SocketConnection } from "./socket-connection.ts";

export class SocketSplice implements Splice, Expiring {
  readonly #client: Pump;
  readonly #upstream: Pump;
  readonly #deadline: Deadline;
  readonly #limits: SpliceLimits;
  readonly #owner: SpliceOwner;
  /** Null while both sides are open. The first failure counts, and otherwise the last end. */
  #end: SideEnd | null = null;

  constructor(
    client: SocketConnection,
    upstream: SocketConnection,
    limits: SpliceLimits,
    deadlines: { deadline(owner: Expiring): Deadline },
    owner: SpliceOwner,
  ) {
    this.#limits = limits;
    this.#owner = owner;
    this.#deadline = deadlines.deadline(this);
    this.#client = new Pump("client", client, upstream, this);
    this.#upstream = new Pump("upstream", upstream, client, this);
  }

  start(): void {
    this.#deadline.set(this.#limits.idle);
    this.#client.start();
    this.#upstream.start();
  }

  get toUpstream(): number {
    return this.#client.bytes;
  }

  get toClient(): number {
    return this.#upstream.bytes;
  }

  opposite(pump: Pump): Pump {
    return pump === this.#client ? this.#upstream : this.#client;
  }

  /** Bytes have moved, so the time without bytes begins anew. */
  moved(): void {
    const { idle, halfClosed } = this.#limits;
    this.#deadline.set(this.#end === null || this.#reading ? idle : halfClosed);
  }

  /** True while a side has yet to read bytes that the other side sent before its end. */
  get #reading(): boolean {
    const queued = this.#client.from.queued + this.#upstream.from.queued;
    return this.#end?.error === null && queued > 0;
  }

  /** A side has sent its last byte, or has failed. */
  ending(end: SideEnd): void {
    if (this.#end === null || this.#end.error === null) this.#end = end;
    this.moved();
  }

  /** One direction has ended. */
  over(): void {
    if (this.#end !== null && this.#client.over && this.#upstream.over) this.#finish(this.#end);
  }

  expired(): void {
    this.#cut({ by: "idle" });
  }

  stop(): void {
    this.#cut({ by: "stop" });
  }

  #cut(end: SpliceEnd): void {
    this.#finish(this.#end !== null && this.#end.error !== null ? this.#end : end);
  }

  #finish(end: SpliceEnd): void {
    this.#deadline.clear();
    const failed = "error" in end && end.error !== null;
    for (const { from } of [this.#client, this.#upstream]) {
      if (failed) from.reset();
      else from.close();
    }
    this.#owner.spliced({ toUpstream: this.toUpstream, toClient: this.toClient, end });
  }
}

type SideEnd = Extract<SpliceEnd, { error: unknown }>;

/** One direction, and the receiver of the side that it reads from. */
class Pump implements Receiver {
  readonly side: SideEnd["by"];
  readonly from: SocketConnection;
  bytes = 0;
  /** True once no more bytes will go this way, and none are under way. */
  over = false;
  /** The chunk that the other side has not taken yet. */
  #held: Uint8Array | null = null;
  #ended = false;
  readonly #to: SocketConnection;
  readonly #splice: SocketSplice;

  constructor(
    side: Pump["side"],
    from: SocketConnection,
    to: SocketConnection,
    splice: SocketSplice,
  ) {
    this.side = side;
    this.from = from;
    this.#to = to;
    this.#splice = splice;
  }

  start(): void {
    this.from.receiver = this;
    this.from.resume();
    if (this.from.finished) this.ended();
  }

  received(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    const chunk = this.from.keep(bytes);
    if (this.#to.write(chunk)) this.from.readOn(chunk);
    else {
      this.#held = chunk;
      this.from.pause();
    }
    this.#splice.moved();
  }

  /** The side that this pump reads from has taken all bytes, so the other direction goes on. */
  drained(): void {
    this.#splice.opposite(this).proceed();
  }

  proceed(): void {
    if (this.#held !== null) {
      this.from.readOn(this.#held);
      this.#held = null;
      this.from.resume();
      this.#splice.moved();
    }
    if (this.#ended) this.#finish();
  }

  ended(): void {
    this.#ended = true;
    this.#splice.ending({ by: this.side, error: null });
    // If both sides have ended, closing comes next, and sends the same FIN.
    if (!this.#to.finished) this.#to.end();
    else if (this.#to.queued === 0) this.#finish();
  }

  closed(error: Error | null): void {
    const back = this.#splice.opposite(this);
    // Closed after both FINs, perhaps before the other side has read all bytes.
    if (error === null && this.#ended && back.over) return;
    this.#splice.ending({ by: this.side, error });
    back.cancel();
    // This direction is over already where the other side has failed first.
    if (this.#ended || this.over) this.#splice.over();
    else {
      this.#ended = true;
      if (this.#to.queued === 0) this.#finish();
    }
  }

  /** Ends this direction because its destination is gone. */
  cancel(): void {
    this.over = true;
    this.from.pause();
  }

  #finish(): void {
    if (this.over) return;
    this.over = true;
    this.#splice.over();
  }
}
