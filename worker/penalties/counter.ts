/** The interface of the Durable Object that counts failed logins, so that tests can replace it. */

/** The subject of a count. */
export interface CounterKey {
  /** An account's address, or a network. */
  readonly name: string;
  /** For an account: counts only its failures from this network. Empty for its failures from anywhere. */
  readonly network: string;
}

/** The permitted number of failures. */
export interface FailureLimit {
  /** This many failures begin a block. */
  readonly failures: number;
  /** ms that failures count, from the first of them, and that a block lasts, from the last of them. */
  readonly window: number;
}

export interface FailureCount {
  /** Failures before this attempt. */
  readonly failures: number;
  /** When the failures are forgotten, ms since the epoch. */
  readonly expires: number;
}

export interface CounterEntry extends CounterKey, FailureCount {}

/** One shard of all counts, or the index of shards with blocks (`shards.ts`). */
export interface FailureCounter {
  /**
   * Reads the count of each key, and adds one to each if this attempt failed.
   *
   * @returns a count for each key, in the order of the keys
   */
  tally(
    keys: readonly CounterKey[],
    limit: FailureLimit,
    failed: boolean,
  ): Promise<readonly FailureCount[]>;

  /** Lists up to a thousand keys with at least this many failures, the highest count first. */
  list(failures: number): Promise<readonly CounterEntry[]>;

  /**
   * Deletes the counts of an account, from all networks, or of a network. Workers may cache a block for some
   * seconds more (`block-cache.ts`).
   *
   * @returns false if there were none
   */
  lift(name: string): Promise<boolean>;

  /** Index only: records that a shard has blocks until this time, ms since the epoch. */
  note(shard: string, until: number): Promise<void>;

  /** Index only: lists the shards that have blocks now. */
  noted(): Promise<readonly string[]>;
}

/** The binding of the Durable Object's namespace. */
export interface FailureCounters {
  getByName(name: string): FailureCounter;
}
