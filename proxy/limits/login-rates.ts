/** Limits the logins of each client's network by nginx's leaky bucket (ngx_http_limit_req_module). */
import { LRUCache } from "lru-cache";
import type { LoginClaim, NetworkRate } from "./claim.ts";

/** Networks that are remembered. The one that has been quiet for longest is forgotten first. */
const MOST = 65_536;

interface Bucket {
  /** Logins beyond the rate. */
  readonly excess: number;
  /** The time of the last login, ms. */
  readonly at: number;
}

export class LoginRates {
  readonly #buckets = new LRUCache<string, Bucket>({ max: MOST });
  readonly #now: () => number;

  /** @param now ms, never going back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Counts a login in all of its networks, or in none.
   *
   * @returns null for a login within each rate and burst, or the network in which another is beyond them
   */
  take({ networks }: LoginClaim): { readonly network: string; readonly excess: number } | null {
    const at = this.#now();
    const excesses = networks.map((one) => this.#excess(one, at));
    for (const [index, { network, burst }] of networks.entries()) {
      const excess = excesses[index] ?? 0;
      if (excess > burst) return { network, excess };
    }
    for (const [index, one] of networks.entries()) {
      this.#buckets.set(keyOf(one), { excess: excesses[index] ?? 0, at });
    }
    return null;
  }

  #excess(one: NetworkRate, at: number): number {
    const before = this.#buckets.get(keyOf(one));
    if (before === undefined) return 0;
    return Math.max(before.excess - (one.rate * (at - before.at)) / 1000 + 1, 0);
  }
}

/** Servers with the same rate share their buckets. */
function keyOf({ network, rate }: NetworkRate): string {
  return `${rate} ${network}`;
}
