/** Reads and counts failed logins in the Durable Objects that keep the counts. */
import { describe, logError, logWarning } from "../log/log.ts";
import { type BlockCache, isolateBlocks, MAX_TTL } from "./block-cache.ts";
import { sampleFailure } from "./alarms.ts";
import type { FailureCount, FailureCounter, FailureCounters, LimitedKey } from "./counter.ts";
import type { PenaltyLimits } from "./limits.ts";
import { isolateOutages } from "./outage.ts";
import { blockIndex, type CounterKind, counterOf, shardOf } from "./shards.ts";

/** The counts of one object for one attempt. */
export interface Tally {
  /** True if one of the counts refuses the attempt. */
  readonly refused: boolean;
  /** For each key, failures divided by the permitted ones; 1 at the last permitted failure. */
  readonly ratios: readonly number[];
  /** Takes back the failure that was counted, after the response. */
  readonly retract?: () => void;
}

/** ms before a shard with blocks is recorded in the index again. */
const INDEX_INTERVAL = 60_000;

/** ms that a login waits for a Durable Object. */
const TIMEOUT = 1000;

/** The counts for one lookup. */
export class PenaltyStore {
  readonly limits: PenaltyLimits;
  readonly #counters: FailureCounters;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  readonly #cache: BlockCache;
  readonly #timeout: number;
  #failedOpen = false;

  /** @param waitUntil lets work finish after the response */
  constructor(
    counters: FailureCounters,
    limits: PenaltyLimits,
    waitUntil: (work: Promise<unknown>) => void,
    { cache = isolateBlocks, timeout = TIMEOUT }: { cache?: BlockCache; timeout?: number } = {},
  ) {
    this.#counters = counters;
    this.limits = limits;
    this.#waitUntil = waitUntil;
    this.#cache = cache;
    this.#timeout = timeout;
  }

  /** True if an object could not be asked, so that this login went on without its penalties. */
  get failedOpen(): boolean {
    return this.#failedOpen;
  }

  /** True if this isolate met too many failures here lately. */
  hasCachedBlock(kind: CounterKind, key: LimitedKey): boolean {
    return this.#cache.has(cacheKey(kind, key));
  }

  /**
   * Reads the counts of keys, and adds a failure to each if this attempt failed.
   *
   * A login goes on if the Durable Object fails or is slow: its outage must not become the mail service's, and the
   * client still needs the password.
   *
   * @param subject chooses the object: the account, or the widest of the networks
   */
  async count(
    kind: CounterKind,
    subject: string,
    keys: readonly LimitedKey[],
    failed: boolean,
  ): Promise<Tally> {
    const counting = this.#tally(kind, subject, keys, failed);
    // The failure is counted even if that takes longer than the login waits.
    this.#waitUntil(counting.catch(() => undefined));
    try {
      const { counter, counts } = await within(this.#timeout, counting);
      const refused = keys.some((key, index) => isRefused(key, counts[index]));
      const added = failed && !refused;
      for (const [index, key] of keys.entries()) {
        const count = counts[index];
        if (count !== undefined) this.#note(kind, subject, key, count, added);
      }
      return {
        refused,
        ratios: keys.map(({ permitted }, index) => {
          return ((counts[index]?.failures ?? 0) + Number(added)) / permitted;
        }),
        ...(added && { retract: () => this.#retract(counter, keys, counts) }),
      };
    } catch (error) {
      this.#failedOpen = true;
      isolateOutages.add(kind, describe(error));
      return { refused: false, ratios: keys.map(() => 0) };
    }
  }

  /** Counts a failure for the login's domain and for all logins, in one failure of many, after the response. */
  sample(login: string): void {
    this.#waitUntil(sampleFailure(this.#counters, this.limits, login));
  }

  async #tally(
    kind: CounterKind,
    subject: string,
    keys: readonly LimitedKey[],
    failed: boolean,
  ): Promise<{ counter: FailureCounter; counts: readonly FailureCount[] }> {
    const counter = await counterOf(this.#counters, kind, subject);
    return { counter, counts: await counter.tally(keys, this.limits.window, failed) };
  }

  #retract(
    counter: FailureCounter,
    keys: readonly LimitedKey[],
    counts: readonly FailureCount[],
  ): void {
    const counted = keys
      .map((key, index) => ({ ...key, expires: counts[index]?.expires ?? 0 }))
      .filter(({ effect }) => effect !== "read");
    this.#waitUntil(
      counter.retract(counted).catch((error: unknown) => {
        logError(`a refused login stays counted as a failure: ${describe(error)}`);
      }),
    );
  }

  /** Caches and lists a block, and logs its beginning. */
  #note(
    kind: CounterKind,
    subject: string,
    key: LimitedKey,
    { failures: before, expires }: FailureCount,
    added: boolean,
  ): void {
    const failures = before + Number(added && key.effect !== "read");
    if (failures < key.permitted) return;
    const ttl = Math.min(expires - Date.now(), MAX_TTL);
    if (ttl > 0) {
      this.#cache.set(cacheKey(kind, key), true, { ttl });
      this.#waitUntil(this.#indexBlock(kind, subject));
    }
    if (before < key.permitted) {
      // The log omits the account: a login name may be a password that was typed into the wrong field.
      const network = kind === "network" ? key.name : key.network || undefined;
      logWarning(
        `${failures} logins failed; further ones are refused until the block expires (npm run admin -- blocks list)`,
        {
          kind,
          network,
        },
      );
    }
  }

  /** The admin API lists blocks by asking the shards in the index (`blocks.ts`). */
  async #indexBlock(kind: CounterKind, subject: string): Promise<void> {
    const shard = await shardOf(kind, subject);
    if (this.#cache.has(shard)) return;
    try {
      const until = Date.now() + this.limits.window + INDEX_INTERVAL;
      await blockIndex(this.#counters).note(shard, until);
      this.#cache.set(shard, true, { ttl: INDEX_INTERVAL });
    } catch (error) {
      logError(`the list of blocks misses shard ${shard}: ${describe(error)}`);
    }
  }
}

function isRefused({ effect, permitted }: LimitedKey, count: FailureCount | undefined): boolean {
  return effect === "refuse" && count !== undefined && count.failures >= permitted;
}

/** JSON keeps names apart that contain any character. */
function cacheKey(kind: CounterKind, { name, login, network }: LimitedKey): string {
  return JSON.stringify([kind, name, login, network]);
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
