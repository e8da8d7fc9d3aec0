/**
 * Replies that the endpoint lets us keep: those that accept a password or a bearer token, and hold no password
 * themselves. A reply is found only by the very same request, under a keyed hash. The key of the hash never leaves
 * this process; so the cache holds no password, and none can be guessed from its entries.
 */
import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { ByteString } from "../../shared/lookup.ts";
import type { Revocations } from "../revocation/index.ts";
import type { Accepted, LookupReply } from "./lookup.ts";

export interface CachedReply {
  readonly reply: Accepted;
  /** ms, on the cache's clock. */
  readonly freshUntil: number;
  /** The login that the client typed. */
  readonly typed: ByteString;
  /** The last era of the revocations that is known to have left the reply alone. */
  era: number;
}

export class ReplyCache {
  readonly #secret = randomBytes(32);
  readonly #replies: LRUCache<string, CachedReply>;
  readonly #revocations: Revocations;
  readonly #now: () => number;

  /** @param now ms, never going back */
  constructor(entries: number, revocations: Revocations, now: () => number) {
    this.#revocations = revocations;
    this.#now = now;
    // Each entry has its own lifetime; without a resolution of 0 the cache would keep the time until a timer fires.
    this.#replies = new LRUCache({ max: entries, ttl: 1, ttlResolution: 0, perf: { now } });
  }

  /** @param identity the request without the lines that differ from lookup to lookup */
  key(identity: ByteString): string {
    return createHmac("sha256", this.#secret).update(identity, "latin1").digest("base64");
  }

  /** Drops a reply whose user has been revoked since. */
  get(key: string): CachedReply | undefined {
    const cached = this.#replies.get(key);
    if (cached === undefined) return undefined;
    const { typed, reply, era } = cached;
    if (!this.#revocations.allows(typed, reply, era)) {
      this.#replies.delete(key);
      return undefined;
    }
    cached.era = this.#revocations.era;
    return cached;
  }

  /** True where the reply may be used without asking the endpoint. */
  isFresh({ freshUntil }: CachedReply): boolean {
    return this.#revocations.line === "connected" && this.#now() < freshUntil;
  }

  /** True where remembered replies may stand in for an endpoint that is away. */
  get standsIn(): boolean {
    const { line } = this.#revocations;
    return line === "connected" || line === "away";
  }

  /**
   * Keeps a reply that may be kept. Any other word of the endpoint drops the reply before.
   *
   * @param era of the revocations, in which the reply was asked for
   */
  update(key: string, reply: LookupReply, typed: ByteString, era: number): void {
    if (reply.kind === "unavailable" && reply.outage) return;
    if (reply.kind !== "route" || reply.freshness === null || reply.password !== null) {
      this.#replies.delete(key);
      return;
    }
    const { maxAge, staleIfError } = reply.freshness;
    const freshUntil = this.#now() + maxAge * 1000;
    const ttl = (maxAge + staleIfError) * 1000;
    this.#replies.set(key, { reply, freshUntil, typed, era }, { ttl });
  }
}
