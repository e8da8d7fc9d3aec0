/**
 * The addresses of names in this network. Behind a proxy many names have none, and DNS may answer late or never:
 * a login does not wait for a late answer, and the logins after it use the answer once it is there.
 */
import { LRUCache } from "lru-cache";
import type { HostResolver } from "../resolver/index.ts";

/** ms that the first login for a name waits. */
const PATIENCE = 1000;

/** ms for which an answer holds, an empty one too. */
const LIFETIME = 60_000;

/** Names remembered. */
const MOST = 1000;

interface Entry {
  /** Null while the first login waits. */
  addresses: readonly string[] | null;
  readonly waited: Promise<unknown>;
}

export class LocalAddresses {
  readonly #entries = new LRUCache<string, Entry>({ max: MOST, ttl: LIFETIME });
  readonly #resolver: HostResolver;
  /** A lookup is never given up: an answer too late for one login serves the next. */
  readonly #never = new AbortController().signal;

  constructor(resolver: HostResolver) {
    this.#resolver = resolver;
  }

  /** @returns none for a name without addresses, and for an answer that is late */
  async of(name: string): Promise<readonly string[]> {
    const entry = this.#entries.get(name) ?? this.#ask(name);
    if (entry.addresses === null) await entry.waited;
    return entry.addresses ?? [];
  }

  #ask(name: string): Entry {
    const answered = this.#resolver.addresses(name, this.#never).then(
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
