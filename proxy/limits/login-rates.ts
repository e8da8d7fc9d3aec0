/** Limits the logins of each client's network by nginx's leaky bucket (ngx_http_limit_req_module). */
import { LRUCache } from "lru-cache";
import type { LoginClaim } from "./claim.ts";

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

  /** Counts a login. @returns null for a login within rate and burst, and its excess for any other */
  take({ network, rate, burst }: LoginClaim): number | null {
    // Servers with the same rate share their buckets.
    const key = `${rate} ${network}`;
    const at = this.#now();
    const before = this.#buckets.get(key);
    const excess =
      before === undefined ? 0 : Math.max(before.excess - (rate * (at - before.at)) / 1000 + 1, 0);
    if (excess > burst) return excess;
    this.#buckets.set(key, { excess, at });
    return null;
  }
}
