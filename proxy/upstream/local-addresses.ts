/**
 * The addresses that names have in this network. Behind a proxy many have none, and the question may be
 * answered late or never: then a login does not wait for the answer, and later ones have it once it is there.
 */
import { LRUCache } from "lru-cache";
import type { HostResolver } from "../resolver/index.ts";

/** ms that the first login for a name waits. */
const PATIENCE = 1000;

/** ms for which an answer holds, a missing one too. */
const LIFETIME = 60_000;

/** Names that are remembered. */
const MOST = 1000;

interface Entry {
  /** Null while the first login waits. */
  addresses: readonly string[] | null;
  readonly waited: Promise<unknown>;
}

export class LocalAddresses {
  readonly #entries = new LRUCache<string, Entry>({ max: MOST, ttl: LIFETIME });
  readonly #names: HostResolver;
  /** An answer that comes too late for one login is there for the next. */
  readonly #never = new AbortController().signal;

  constructor(names: HostResolver) {
    this.#names = names;
  }

  /** None where there are none, or where nobody knows soon. */
  async of(name: string): Promise<readonly string[]> {
    const entry = this.#entries.get(name) ?? this.#ask(name);
    if (entry.addresses === null) await entry.waited;
    return entry.addresses ?? [];
  }

  #ask(name: string): Entry {
    const answered = this.#names.addresses(name, this.#never).then(
      (addresses) => (entry.addresses = addresses),
      () => (entry.addresses = []),
    );
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, PATIENCE).unref();
    }).then(() => (entry.addresses ??= []));
    const entry: Entry = { addresses: null, waited: Promise.race([answered, late]) };
    this.#entries.set(name, entry);
    return entry;
  }
}
