/**
 * The splice: bytes from each side to the other until both have ended.
 *
 * Each side has one pump as its receiver for the whole time. A chunk goes on as it came, without a copy;
 * while a side has not taken it, the other pauses. FIN is passed on, and the other direction goes on (nginx
 * closes both at the first FIN, and loses answers that were under way). A side that fails, by a reset or
 * however else, makes the other be reset; what had been read from it goes out first.
 */
import type {
  Connection,
  Deadline,
  Done,
  Expiring,
  Receiver,
  Splice,
  SpliceEnd,
  SpliceLimits,
} from "./connection.ts";

export class SocketSplice implements Splice, Expiring {
  readonly #client: Pump;
  readonly #upstream: Pump;
  readonly #deadline: Deadline;
  readonly #limits: SpliceLimits;
  readonly #done: Done;
  /** Known once one side has ended or failed; the last to end counts, and before all the first to fail. */
  #end: SideEnd | null = null;

  constructor(
    client: Connection,
    upstream: Connection,
    limits: SpliceLimits,
    deadlines: { deadline(owner: Expiring): Deadline },
    done: Done,
  ) {
    this.#limits = limits;
    this.#done = done;
    this.#deadline = deadlines.deadline(this);
    this.#deadline.set(limits.idle);
    this.#client = new Pump("client", client, upstream, this);
    this.#upstream = new Pump("upstream", upstream, client, this);
    client.receiver = this.#client;
    upstream.receiver = this.#upstream;
    for (const pump of [this.#client, this.#upstream]) {
      pump.from.resume();
      if (pump.from.finished) pump.ended();
    }
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

  /** A byte has moved. */
  moved(): void {
    const { idle, halfClosed } = this.#limits;
    this.#deadline.set(this.#end === null || this.#reading ? idle : halfClosed);
  }

  /** Whether a side is still to read what the other said before its end. */
  get #reading(): boolean {
    const queued = this.#client.from.queued + this.#upstream.from.queued;
    return this.#end?.error === null && queued > 0;
  }

  /** A side has said its last. */
  ending(end: SideEnd): void {
    if (this.#end === null || this.#end.error === null) this.#end = end;
    this.moved();
  }

  /** One direction is over. */
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
    this.#done({ toUpstream: this.toUpstream, toClient: this.toClient, end });
  }
}

type SideEnd = Extract<SpliceEnd, { error: unknown }>;

/** One direction; also the receiver of the side that it reads from. */
class Pump implements Receiver {
  readonly side: SideEnd["by"];
  readonly from: Connection;
  bytes = 0;
  /** Whether nothing more will go this way, and nothing is under way. */
  over = false;
  /** The chunk that we paused for. */
  #held: Uint8Array | null = null;
  #ended = false;
  readonly #to: Connection;
  readonly #splice: SocketSplice;

  constructor(side: Pump["side"], from: Connection, to: Connection, splice: SocketSplice) {
    this.side = side;
    this.from = from;
    this.#to = to;
    this.#splice = splice;
  }

  received(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.#to.write(bytes);
    if (this.#to.queued === 0) release(bytes);
    else {
      this.#held = bytes;
      this.from.pause();
    }
    this.#splice.moved();
  }

  /** What we read from has taken all: the other direction goes on. */
  drained(): void {
    this.#splice.opposite(this).proceed();
  }

  proceed(): void {
    if (this.#held !== null) {
      release(this.#held);
      this.#held = null;
      this.from.resume();
      this.#splice.moved();
    }
    if (this.#ended) this.#finish();
  }

  ended(): void {
    this.#ended = true;
    this.#splice.ending({ by: this.side, error: null });
    // Where both have ended, closing comes next, and says the same.
    if (!this.#to.finished) this.#to.end();
    else if (this.#to.queued === 0) this.#finish();
  }

  closed(error: Error | null): void {
    const back = this.#splice.opposite(this);
    // Closed after both FINs, perhaps before the other side has read all.
    if (error === null && this.#ended && back.over) return;
    this.#splice.ending({ by: this.side, error });
    back.cancel();
    if (this.#ended) this.#splice.over();
    else {
      this.#ended = true;
      if (this.#to.queued === 0) this.#finish();
    }
  }

  /** Nobody is there any more to send to. */
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

/** Bytes from which giving a buffer back by hand is worth the while. */
const LARGE = 32_768;

/**
 * Gives back the memory of a chunk that has gone to the kernel. Node reads into a fresh 64 KiB buffer each
 * time; left to the garbage collector, those are a third of what a byte costs.
 */
function release({ buffer, length }: Uint8Array): void {
  if (length < LARGE || length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
