/** How fast each client's network logs in: nginx's leaky bucket (ngx_http_limit_req_module). */
import { LRUCache } from "lru-cache";
import type { LoginClaim } from "./claim.ts";

/** Networks remembered; the one that has been quiet for longest is forgotten first. */
const MOST = 65_536;

interface Bucket {
  /** Logins beyond the rate. */
  readonly excess: number;
  /** On `now`'s clock. */
  readonly at: number;
}

export class Rates {
  readonly #buckets = new LRUCache<string, Bucket>({ max: MOST });
  readonly #now: () => number;

  /** @param now ms, never going back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts a login. @returns null where it comes in time, else how many too many it would be */
  take({ network, rate, burst }: LoginClaim): number | null {
    // Those of one rate share their buckets, whichever server they come to.
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
