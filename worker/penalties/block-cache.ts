import { LRUCache } from "lru-cache";

/** Blocks that this isolate has met, so that each of them costs no password hash and no call; and whom it has told of them. */
export interface Memory {
  has(key: string): boolean;
  set(key: string, value: true, options: { readonly ttl: number }): unknown;
}

/** How long a block is remembered, ms: so much later than it was lifted it is felt at the most. */
export const LONGEST_MEMORY = 10_000;

/**
 * It asks for the time at each use: the timer by which it would otherwise do so more seldom dies in
 * Workers with the request that set it, and nothing would expire any more.
 */
export const recentBlocks: Memory = new LRUCache<string, true>({ max: 10_000, ttlResolution: 0 });
