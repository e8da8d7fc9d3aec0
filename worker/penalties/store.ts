/** Reads and counts failed logins in the Durable Objects that keep the counts. */
import { logError, logWarning } from "../log/log.ts";
import { type BlockCache, isolateBlocks, MAX_TTL } from "./block-cache.ts";
import type { FailureCount, FailureCounters, FailureLimit } from "./counter.ts";
import { blockIndex, type CounterKind, counterOf, shardOf } from "./shards.ts";

export interface Penalty {
  /** True if there were too many failures before this attempt. */
  readonly blocked: boolean;
  /** Failures divided by the permitted ones; 1 at the last permitted failure. */
  readonly failureRatio: number;
}

/** Used where the count cannot be read. */
const NO_PENALTY: Penalty = { blocked: false, failureRatio: 0 };

/** ms before a shard with blocks is recorded in the index again. */
const INDEX_INTERVAL = 60_000;

/** ms that a login waits for a Durable Object. */
const TIMEOUT = 1000;

export class PenaltyStore {
  readonly #counters: FailureCounters;
  readonly #limits: Readonly<Record<CounterKind, FailureLimit>>;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  readonly #cache: BlockCache;
  readonly #timeout: number;

  /** @param waitUntil lets work finish after the response */
  constructor(
    counters: FailureCounters,
    limits: Readonly<Record<CounterKind, FailureLimit>>,
    waitUntil: (work: Promise<unknown>) => void,
    { cache = isolateBlocks, timeout = TIMEOUT }: { cache?: BlockCache; timeout?: number } = {},
  ) {
    this.#counters = counters;
    this.#limits = limits;
    this.#waitUntil = waitUntil;
    this.#cache = cache;
    this.#timeout = timeout;
  }

  /** True if this isolate met too many failures here lately. */
  hasCachedBlock(kind: CounterKind, name: string, network = ""): boolean {
    return this.#cache.has(cacheKey(kind, name, network));
  }

  /**
   * Reads the counts, and adds a failure if this attempt failed.
   *
   * A login goes on if the Durable Object fails or is slow: its outage must not become the mail service's, and the
   * client still needs the password.
   *
   * @param networks the result has a penalty for each, from failures in this network, or in all if it is empty
   */
  async count(
    kind: CounterKind,
    name: string,
    networks: readonly string[],
    failed: boolean,
  ): Promise<readonly Penalty[]> {
    const counting = this.#tally(kind, name, networks, failed);
    // The failure is counted even if that takes longer than the login waits.
    this.#waitUntil(counting.catch(() => undefined));
    try {
      const counts = await within(this.#timeout, counting);
      return networks.map((network, index) => {
        const count = counts[index];
        return count === undefined ? NO_PENALTY : this.#penalty(kind, name, network, count, failed);
      });
    } catch (error) {
      logError(`a login goes on without the penalties of its ${kind}: ${String(error)}`);
      return networks.map(() => NO_PENALTY);
    }
  }

  async #tally(kind: CounterKind, name: string, networks: readonly string[], failed: boolean) {
    const counter = await counterOf(this.#counters, kind, name);
    const keys = networks.map((network) => ({ name, network }));
    return counter.tally(keys, this.#limits[kind], failed);
  }

  #penalty(
    kind: CounterKind,
    name: string,
    network: string,
    count: FailureCount,
    failed: boolean,
  ): Penalty {
    const permitted = this.#limits[kind].failures;
    const failures = count.failures + Number(failed);
    if (failures >= permitted) {
      const ttl = Math.min(count.expires - Date.now(), MAX_TTL);
      if (ttl > 0) {
        this.#cache.set(cacheKey(kind, name, network), true, { ttl });
        this.#waitUntil(this.#indexBlock(kind, name));
      }
    }
    if (failed && failures === permitted) {
      // The log omits the account: a login name may be a password that was typed into the wrong field.
      const from = kind === "network" ? name : network || undefined;
      logWarning(`${failures} logins failed; further ones are refused until the block expires`, {
        kind,
        network: from,
      });
    }
    return { blocked: count.failures >= permitted, failureRatio: failures / permitted };
  }

  /** The admin API lists blocks by asking the shards in the index (`blocks.ts`). */
  async #indexBlock(kind: CounterKind, name: string): Promise<void> {
    const shard = await shardOf(kind, name);
    if (this.#cache.has(shard)) return;
    try {
      const until = Date.now() + this.#limits[kind].window + INDEX_INTERVAL;
      await blockIndex(this.#counters).note(shard, until);
      this.#cache.set(shard, true, { ttl: INDEX_INTERVAL });
    } catch (error) {
      logError(`the list of blocks misses shard ${shard}: ${String(error)}`);
    }
  }
}

/** A network contains no space, so keys are unique. */
function cacheKey(kind: CounterKind, name: string, network: string): string {
  return `${kind} ${network} ${name}`;
}

/** @throws Error if the work takes longer than `timeout`, ms */
async function within<Value>(timeout: number, work: Promise<Value>): Promise<Value> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), timeout);
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
