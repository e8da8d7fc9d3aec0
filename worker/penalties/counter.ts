/** What a Durable Object keeps for us, told so that a test can stand in for it. */

/** Whose failures are counted. */
export interface Subject {
  /** An account's address, or a network. */
  readonly name: string;
  /** For an account: its failures from this network alone. Empty for all of them. */
  readonly network: string;
}

/** What is too much. */
export interface Rule {
  /** So many failures, and there are no more tries. */
  readonly failures: number;
  /** How long they count, ms, from the first of them; and how long the block lasts, from the last. */
  readonly window: number;
}

export interface Tally {
  /** How many there had been before this try. */
  readonly failures: number;
  /** When they are forgotten, ms since the epoch. */
  readonly expires: number;
}

export interface Entry extends Subject, Tally {}

/** One shard of all subjects, or the index of those that have blocks (`shards.ts`). */
export interface Ledger {
  /**
   * Tells how many failures each subject has, and counts one more of each if this try failed.
   *
   * @returns a tally for each subject, in their order
   */
  tally(subjects: readonly Subject[], rule: Rule, failed: boolean): Promise<readonly Tally[]>;

  /** Subjects with so many failures or more, the worst first; a thousand at the most. */
  list(failures: number): Promise<readonly Entry[]>;

  /**
   * Forgets an account's failures, from wherever, or a network's. Workers may remember a block for some
   * seconds more (`block-cache.ts`).
   *
   * @returns false if there were none
   */
  lift(name: string): Promise<boolean>;

  /** Remembers that a shard has blocks until then, ms since the epoch: of the index alone. */
  note(shard: string, until: number): Promise<void>;

  /** Shards that have blocks now, of those that were noted. */
  noted(): Promise<readonly string[]>;
}

/** All shards, as the binding of a Durable Object gives them. */
export interface Ledgers {
  getByName(name: string): Ledger;
}
