/**
 * Remembers for a minute which password has just proved right for which stored hash: mail programs
 * open several connections at once, and need not wait for the same hash again.
 *
 * What is kept is a digest under a key that this isolate alone knows, of both: neither can be had from
 * it, and as the stored hash is read anew for each lookup, a password that was changed finds nothing here.
 */
import { createHmac } from "node:crypto";
import { LRUCache } from "lru-cache";

const ENTRIES = 10_000;
/** ms from the verification, however often it is asked for meanwhile. */
const LIFETIME = 60_000;

export class VerifiedPasswords {
  readonly #proved: LRUCache<string, true>;
  /** Made at first use: Workers give no random bytes to a module that is being loaded. */
  #key: Uint8Array | undefined;

  /** @param now ms */
  constructor(now: () => number = Date.now) {
    this.#proved = new LRUCache({
      max: ENTRIES,
      ttl: LIFETIME,
      // Otherwise the time is kept until a timer fires, which it never does if its request is called off.
      ttlResolution: 0,
      perf: { now },
    });
  }

  has(password: Uint8Array, stored: string): boolean {
    // Not by `has`, which does not keep an entry from being the next to go.
    return this.#proved.get(this.#digest(password, stored)) === true;
  }

  add(password: Uint8Array, stored: string): void {
    this.#proved.set(this.#digest(password, stored), true);
  }

  #digest(password: Uint8Array, stored: string): string {
    this.#key ??= crypto.getRandomValues(new Uint8Array(32));
    // By its length the stored text is told from the password that follows.
    const hmac = createHmac("sha256", this.#key).update(`${stored.length}:${stored}`);
    return hmac.update(password).digest("base64");
  }
}
