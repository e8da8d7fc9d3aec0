/**
 * Limits the passwords that wait to be hashed, so that a flood of logins gets a quick "try later" and does not slow
 * all logins down.
 *
 * Hashing blocks the isolate's thread, so waiting requests would queue in the runtime, which cannot count them. So
 * each request yields by a timer until a whole turn of the event loop has passed without a hash. Between two hashes
 * all requests that have arrived take their places, or find none.
 *
 * No request waits for another one's promise: in Workers it stays pending if that request's client disconnects.
 */

/** Requests that may wait in an isolate. At 80 ms each, the last one waits 1.3 s. */
const PLACES = 16;

/** ms after which a place is free in any case, since a cancelled request does not run its `finally`. */
const EXPIRY = 30_000;

export class HashQueue {
  /** When each place was taken, ms. */
  readonly #places = new Map<symbol, number>();
  readonly #now: () => number;
  /** Hashes so far. */
  #served = 0;

  /** @param now ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Runs the work in turn. Returns "busy" at once if too many wait already. */
  async run<Result>(work: () => Result): Promise<Result | "busy"> {
    this.#expire();
    if (this.#places.size >= PLACES) return "busy";
    const place = Symbol("place");
    this.#places.set(place, this.#now());
    try {
      await this.#turn();
      return work();
    } finally {
      this.#places.delete(place);
    }
  }

  async #turn(): Promise<void> {
    let served: number;
    do {
      served = this.#served;
      await new Promise((resolve) => setTimeout(resolve));
    } while (served !== this.#served);
    this.#served += 1;
  }

  #expire(): void {
    const until = this.#now() - EXPIRY;
    for (const [place, since] of this.#places) if (since <= until) this.#places.delete(place);
  }
}
