/**
 * Remembers for a minute which password was right for which stored hash, since mail programs open several
 * connections at once.
 *
 * The cache keeps a digest of both under a key that only this isolate knows, so it reveals neither. Each lookup reads
 * the stored hash anew, so a changed password does not match.
 */
import { createHmac } from "node:crypto";
import { LRUCache } from "lru-cache";

const ENTRIES = 10_000;
/** ms from the verification. A use does not prolong it. */
const TTL = 60_000;

export class VerifiedPasswords {
  readonly #verified: LRUCache<string, true>;
  /** Made at the first use, since Workers give no random bytes while a module loads. */
  #key: Uint8Array | undefined;

  /** @param now ms */
  constructor(now: () => number = Date.now) {
    this.#verified = new LRUCache({
      max: ENTRIES,
      ttl: TTL,
      // Another resolution would keep the time until a timer fires, and Workers cancel it with its request.
      ttlResolution: 0,
      perf: { now },
    });
  }

  has(password: Uint8Array, stored: string): boolean {
    // `has` would not mark the entry as recently used.
    return this.#verified.get(this.#digest(password, stored)) === true;
  }

  add(password: Uint8Array, stored: string): void {
    this.#verified.set(this.#digest(password, stored), true);
  }

  #digest(password: Uint8Array, stored: string): string {
    this.#key ??= crypto.getRandomValues(new Uint8Array(32));
    // The length separates the stored text from the password.
    const hmac = createHmac("sha256", this.#key).update(`${stored.length}:${stored}`);
    return hmac.update(password).digest("base64");
  }
}
