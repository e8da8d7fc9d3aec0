import { LRUCache } from "lru-cache";

/**
 * Remembers the blocks that this isolate has met, so that a blocked login costs neither a password hash nor a
 * call to a Durable Object; and the shards that the index already knows.
 */
export interface BlockCache {
  has(key: string): boolean;
  set(key: string, value: true, options: { readonly ttl: number }): unknown;
}

/** ms: a block that an operator lifts may last this much longer. */
export const MAX_TTL = 10_000;

/**
 * The cache reads the clock at each use. With another `ttlResolution` it would keep the time until a timer fires,
 * and Workers cancel the timer with the request that set it, so that nothing would expire.
 */
export const isolateBlocks: BlockCache = new LRUCache<string, true>({
  max: 10_000,
  ttlResolution: 0,
});
