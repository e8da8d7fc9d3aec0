/** How accounts and networks stand after their failures, asked of the objects that count them. */
import { logError, logWarning } from "../log.ts";
import type { Ledgers, Rule, Tally } from "./counter.ts";
import { LONGEST_MEMORY, type Memory, recentBlocks } from "./block-cache.ts";
import { indexOf, type Kind, ledgerOf, shardOf } from "./shards.ts";

export interface Standing {
  /** There had been too many failures before this try. */
  readonly blocked: boolean;
  /** How much of what is permitted is used up with it; 1 with the last permitted failure. */
  readonly pressure: number;
}

/** Of whom nobody can tell anything. */
const UNBLEMISHED: Standing = { blocked: false, pressure: 0 };

/** How long it suffices that an operator was told where a block is, ms. */
const NOTED = 60_000;

/** How long a login waits for an object, ms. */
const PATIENCE = 1000;

export class Standings {
  readonly #ledgers: Ledgers;
  readonly #rules: Readonly<Record<Kind, Rule>>;
  readonly #keep: (work: Promise<unknown>) => void;
  readonly #memory: Memory;
  readonly #patience: number;

  /** @param keep sees to it that work is done although nobody waits for it */
  constructor(
    ledgers: Ledgers,
    rules: Readonly<Record<Kind, Rule>>,
    keep: (work: Promise<unknown>) => void,
    { memory = recentBlocks, patience = PATIENCE }: { memory?: Memory; patience?: number } = {},
  ) {
    this.#ledgers = ledgers;
    this.#rules = rules;
    this.#keep = keep;
    this.#memory = memory;
    this.#patience = patience;
  }

  /** Whether too many failures were met here lately: then nothing need be asked. */
  exhausted(kind: Kind, name: string, network = ""): boolean {
    return this.#memory.has(memoryKey(kind, name, network));
  }

  /**
   * Asks, and counts one more failure if this try failed.
   *
   * Where an object fails or takes too long, the login goes on without it: its outage must not be that
   * of the mail service, and the password itself still stands in the way.
   *
   * @param networks for each a standing: of failures from there alone, or from anywhere if it is empty
   */
  async ask(
    kind: Kind,
    name: string,
    networks: readonly string[],
    failed: boolean,
  ): Promise<readonly Standing[]> {
    const asked = this.#tally(kind, name, networks, failed);
    // A failure counts also if that takes longer than we wait.
    this.#keep(asked.catch(() => undefined));
    try {
      const tallies = await within(this.#patience, asked);
      return networks.map((network, index) => {
        const tally = tallies[index];
        return tally === undefined ? UNBLEMISHED : this.#judge(kind, name, network, tally, failed);
      });
    } catch (error) {
      logError(`a login goes on without the penalties of its ${kind}: ${String(error)}`);
      return networks.map(() => UNBLEMISHED);
    }
  }

  async #tally(kind: Kind, name: string, networks: readonly string[], failed: boolean) {
    const ledger = await ledgerOf(this.#ledgers, kind, name);
    const subjects = networks.map((network) => ({ name, network }));
    return ledger.tally(subjects, this.#rules[kind], failed);
  }

  #judge(kind: Kind, name: string, network: string, tally: Tally, failed: boolean): Standing {
    const permitted = this.#rules[kind].failures;
    const failures = tally.failures + Number(failed);
    if (failures >= permitted) {
      const ttl = Math.min(tally.expires - Date.now(), LONGEST_MEMORY);
      if (ttl > 0) {
        this.#memory.set(memoryKey(kind, name, network), true, { ttl });
        this.#keep(this.#note(kind, name));
      }
    }
    if (failed && failures === permitted) {
      // Not whose: a login name may be a password, typed into the wrong field.
      const where = kind === "network" ? name : network || undefined;
      logWarning(`${failures} logins failed; more are refused for a while`, {
        kind,
        network: where,
      });
    }
    return { blocked: tally.failures >= permitted, pressure: failures / permitted };
  }

  /** Operators find blocks by asking the objects that have some (`blocks.ts`). */
  async #note(kind: Kind, name: string): Promise<void> {
    const shard = await shardOf(kind, name);
    if (this.#memory.has(shard)) return;
    try {
      await indexOf(this.#ledgers).note(shard, Date.now() + this.#rules[kind].window + NOTED);
      this.#memory.set(shard, true, { ttl: NOTED });
    } catch (error) {
      logError(`the list of blocks lacks ${shard}: ${String(error)}`);
    }
  }
}

/** A network has no space in it, so no two keys are alike. */
function memoryKey(kind: Kind, name: string, network: string): string {
  return `${kind} ${network} ${name}`;
}

/** @throws Error if it takes longer, ms */
async function within<Value>(limit: number, work: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${limit} ms`)), limit);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
