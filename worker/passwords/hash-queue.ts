/**
 * A queue before the work of hashing, so that a flood of logins meets a quick "try later" and not a
 * slow death.
 *
 * Hashing is plain CPU: an isolate computes one hash after the other, and what has to wait would do so
 * in the runtime's own event queue, where nobody can count it. So whoever comes here gives way, by a
 * timer, until a whole turn of the event loop has passed in which nobody hashed: between any two
 * hashes those that have come meanwhile take their places, or find none.
 *
 * Nobody waits for the promise of the one before: in Workers that is never kept if the other's client
 * goes away.
 */

/** Hashes that may wait in an isolate: at 80 ms each, the last one waits for 1.3 s. */
const PLACES = 16;

/** ms after which a place is free in any case: a request that was called off never comes back, not even for `finally`. */
const EXPIRY = 30_000;

export class HashQueue {
  /** Since when each place is taken. */
  readonly #places = new Map<symbol, number>();
  readonly #now: () => number;
  /** How many have been served. */
  #served = 0;

  /** @param now ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Does the work when its turn comes; "busy", at once, if too many wait already. */
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
