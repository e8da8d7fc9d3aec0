/**
 * Replies that the endpoint lets us keep: those that accept a password or a bearer token, and hold no password
 * themselves. A reply is found only by the very same request, under a keyed hash. The key of the hash never leaves
 * this process; so the cache holds no password, and none can be guessed from its entries.
 */
import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { ByteString } from "../../shared/lookup.ts";
import type { Accepted, LookupReply, LookupRequest } from "./lookup.ts";

export interface CachedReply {
  readonly reply: Accepted;
  /** ms, on the cache's clock. */
  readonly freshUntil: number;
  /** The login that was typed and the login that replaces it, in lower case. */
  readonly logins: readonly ByteString[];
}

export class ReplyCache {
  readonly #secret = randomBytes(32);
  readonly #replies: LRUCache<string, CachedReply>;
  readonly #now: () => number;

  /** @param now ms, never going back */
  constructor(entries: number, now: () => number) {
    this.#now = now;
    // Each entry has its own lifetime; without a resolution of 0 the cache would keep the time until a timer fires.
    this.#replies = new LRUCache({ max: entries, ttl: 1, ttlResolution: 0, perf: { now } });
  }

  /** @param identity the request without the lines that differ from lookup to lookup */
  key(identity: ByteString): string {
    return createHmac("sha256", this.#secret).update(identity, "latin1").digest("base64");
  }

  get(key: string): CachedReply | undefined {
    return this.#replies.get(key);
  }

  isFresh({ freshUntil }: CachedReply): boolean {
    return this.#now() < freshUntil;
  }

  /** Keeps a reply that may be kept; any other reply but `unavailable` drops the one before. */
  update(key: string, reply: LookupReply, { credentials }: LookupRequest): void {
    if (reply.kind === "unavailable") return;
    if (reply.kind !== "route" || reply.freshness === null || reply.password !== null) {
      this.#replies.delete(key);
      return;
    }
    const { maxAge, staleIfError } = reply.freshness;
    const typed = "login" in credentials ? credentials.login : "";
    const logins = [typed, reply.login ?? typed].map((login) => login.toLowerCase());
    const freshUntil = this.#now() + maxAge * 1000;
    this.#replies.set(key, { reply, freshUntil, logins }, { ttl: (maxAge + staleIfError) * 1000 });
  }

  /** Drops the replies about a user, by either login; endpoints may not mind its case. */
  forget(user: ByteString): void {
    const login = user.toLowerCase();
    for (const [key, { logins }] of this.#replies.entries()) {
      if (logins.includes(login)) this.#replies.delete(key);
    }
  }

  clear(): void {
    this.#replies.clear();
  }
}
