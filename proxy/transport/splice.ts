/**
 * The splice: bytes from each side to the other until both have ended.
 *
 * Each side has one pump as its receiver for the whole time. A chunk goes on as it came, without a copy;
 * a side that takes no more makes the other pause. FIN is passed on, and the other direction goes on
 * (nginx closes both at the first FIN, and loses answers that were under way).
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
  #open: 0 | 1 | 2 = 2;

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

  opposite(pump: Pump): Pump {
    return pump === this.#client ? this.#upstream : this.#client;
  }

  /** A byte has moved. */
  moved(): void {
    this.#deadline.set(this.#open === 2 ? this.#limits.idle : this.#limits.halfClosed);
  }

  /** One direction has sent its last byte. */
  finished(by: Pump["side"]): void {
    this.#open = this.#open === 2 ? 1 : 0;
    if (this.#open === 0) this.#end({ by, error: null });
    else {
      this.#deadline.clear();
      this.#deadline.set(this.#limits.halfClosed);
    }
  }

  broken(by: Pump["side"], error: Error | null): void {
    this.#end({ by, error });
  }

  expired(): void {
    this.#end({ by: "idle" });
  }

  stop(): void {
    this.#end({ by: "stop" });
  }

  #end(end: SpliceEnd): void {
    this.#deadline.clear();
    this.#client.from.close();
    this.#upstream.from.close();
    this.#done({ toUpstream: this.#client.bytes, toClient: this.#upstream.bytes, end });
  }
}

/** One direction; also the receiver of the side that it reads from. */
class Pump implements Receiver {
  readonly side: "client" | "upstream";
  readonly from: Connection;
  bytes = 0;
  /** The chunk that we paused for. */
  #held: Uint8Array | null = null;
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
    this.#splice.moved();
    const more = this.#to.write(bytes);
    if (this.#to.queued === 0) release(bytes);
    else if (!more) {
      this.#held = bytes;
      this.from.pause();
    }
  }

  /** What we read from can be written to again: the other direction goes on. */
  drained(): void {
    this.#splice.opposite(this).proceed();
  }

  proceed(): void {
    if (this.#held !== null) release(this.#held);
    this.#held = null;
    this.from.resume();
  }

  ended(): void {
    // Where both have ended, closing comes next, and says the same.
    if (!this.#to.finished) this.#to.end();
    this.#splice.finished(this.side);
  }

  closed(error: Error | null): void {
    this.#splice.broken(this.side, error);
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
