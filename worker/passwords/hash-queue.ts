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

/** The client that wants a hash. */
export interface HashClient {
  /** The networks of the client, the narrowest first; none if it has no address. */
  readonly networks: readonly string[];
  /**
   * `known`: the narrowest network is known good for the account. `suspect`: it is not, and the account's domain or all
   * logins are under attack.
   */
  readonly trust: "known" | "unknown" | "suspect";
}

interface Shares {
  /** Places of clients with no more trust than this one. */
  readonly all: number;
  /** Places of clients in the narrowest network among these: an IPv4 address, an IPv6 /64. */
  readonly narrow: number;
  /** Places of clients in the widest network among these: an IPv4 /24, an IPv6 /48. */
  readonly wide: number;
}

/** Clients that may wait in an isolate. At 80 ms each, the last one waits 3.8 s. */
const PLACES = 48;

/**
 * Eight places are for known networks alone, and no network gets so many that it leaves none to others. A mail program
 * opens several connections at once, so the least share is ten.
 */
const SHARES: Readonly<Record<HashClient["trust"], Shares>> = {
  known: { all: PLACES, narrow: 24, wide: 24 },
  unknown: { all: 40, narrow: 10, wide: 12 },
  suspect: { all: 10, narrow: 4, wide: 6 },
};

/** ms after which a place is free in any case, since a cancelled request does not run its `finally`. */
const EXPIRY = 30_000;

interface Place {
  readonly client: HashClient;
  /** When the place was taken, ms. */
  readonly since: number;
}

export class HashQueue {
  readonly #places = new Set<Place>();
  readonly #now: () => number;
  /** Hashes so far. */
  #served = 0;

  /** @param now ms */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Runs the work in turn. Returns "busy" at once if too many wait already, in all or in the client's networks. */
  async run<Result>(client: HashClient, work: () => Result): Promise<Result | "busy"> {
    this.#expire();
    if (!this.#hasRoom(client)) return "busy";
    const place = { client, since: this.#now() };
    this.#places.add(place);
    try {
      await this.#turn();
      return work();
    } finally {
      this.#places.delete(place);
    }
  }

  #hasRoom({ networks, trust }: HashClient): boolean {
    if (this.#places.size >= PLACES) return false;
    const shares = SHARES[trust];
    const [narrowest] = networks;
    const widest = networks.at(-1);
    let [all, narrow, wide] = [0, 0, 0];
    for (const { client } of this.#places) {
      if (trust !== "known" && client.trust === "known") continue;
      all += 1;
      narrow += Number(narrowest !== undefined && client.networks[0] === narrowest);
      wide += Number(widest !== undefined && client.networks.at(-1) === widest);
    }
    return all < shares.all && narrow < shares.narrow && wide < shares.wide;
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
    for (const place of this.#places) if (place.since <= until) this.#places.delete(place);
  }
}
