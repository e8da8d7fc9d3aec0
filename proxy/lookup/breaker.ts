/**
 * A circuit breaker. After some lookups in a row without any reply from the endpoint, one lookup a second still
 * asks it and all others fail at once, until the endpoint replies. Any reply counts, an error too: a client can
 * provoke an error, and must not keep other clients out by it.
 */

/** Lookups in a row. */
const MOST_FAILURES = 5;

/** ms between the lookups that still ask. */
const PAUSE = 1000;

export class CircuitBreaker {
  readonly #now: () => number;
  #failures = 0;
  #nextProbe = 0;
  #lastReason = "";

  /** @param now ms, never going back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns null where the endpoint may be asked, else the reason it is not, for the log */
  refusal(): string | null {
    if (this.#failures < MOST_FAILURES) return null;
    if (this.#now() < this.#nextProbe) {
      return `is not asked after ${this.#failures} failures in a row, the last one: ${this.#lastReason}`;
    }
    this.#nextProbe = this.#now() + PAUSE;
    return null;
  }

  replied(): void {
    this.#failures = 0;
  }

  /** @param why no reply came */
  failed(why: string): void {
    this.#lastReason = why;
    // Only the failure that opens the circuit sets the pause, so that late failures do not put off the next probe.
    if (++this.#failures === MOST_FAILURES) this.#nextProbe = this.#now() + PAUSE;
  }
}
