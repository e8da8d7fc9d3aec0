/** The interface of the Durable Object that counts failed logins, so that tests can replace it. */

/** The subject of a count. */
export interface CounterKey {
  /** An account's address, a network, or the subject of an alarm (`alarms.ts`). */
  readonly name: string;
  /** For an account: counts only its failures under this login name. Empty for all of its names. */
  readonly login: string;
  /** For an account: counts only its failures from this network. Empty for its failures from anywhere. */
  readonly network: string;
}

/** A count with its limit. */
export interface LimitedKey extends CounterKey {
  /** This many failures begin a block. */
  readonly permitted: number;
  /** `refuse`: a block refuses this attempt. `add`: the count is only added to. `read`: it is not even added to. */
  readonly effect: "refuse" | "add" | "read";
}

export interface FailureCount {
  /** Failures before this attempt. */
  readonly failures: number;
  /** When the failures are forgotten, ms since the epoch. */
  readonly expires: number;
}

export type RetractedKey = CounterKey & Pick<FailureCount, "expires">;

export interface CounterEntry extends CounterKey, FailureCount {}

/** One shard of all counts, or the index of shards with blocks (`shards.ts`). */
export interface FailureCounter {
  /**
   * Reads the count of each key, and adds one to each if this attempt failed. A refused attempt is added to none,
   * because its client has learned nothing.
   *
   * @param window ms that failures count, from the first of them, and that a block lasts, from the last of them
   * @returns a count for each key, in the order of the keys
   */
  tally(
    keys: readonly LimitedKey[],
    window: number,
    failed: boolean,
  ): Promise<readonly FailureCount[]>;

  /**
   * Takes back a failure that `tally` added, because another object has refused the attempt.
   *
   * @param counted the keys, with the expiry that `tally` returned; a count that began anew since is left alone
   */
  retract(counted: readonly RetractedKey[]): Promise<void>;

  /** Lists up to a thousand keys with as many failures as are permitted, the highest count first. */
  list(): Promise<readonly CounterEntry[]>;

  /**
   * Deletes the counts of an account, under all names and from all networks, or of a network. Workers may cache a
   * block for some seconds more (`block-cache.ts`).
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
