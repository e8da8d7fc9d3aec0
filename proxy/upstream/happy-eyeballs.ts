/** Happy Eyeballs (RFC 8305): a server's addresses are dialled a moment apart, and the first that answers wins. */
import type { Address, Connection } from "../transport/index.ts";

/** ms until the next address is tried beside one that has not answered (RFC 8305 section 5). */
const ATTEMPT_DELAY = 250;

export interface Dialled {
  readonly connection: Connection;
  readonly to: Address;
}

/** Opens one connection; fails soon after its signal gives up. */
export type Dial = (to: Address, signal: AbortSignal) => Promise<Connection>;

/** Hears of an address that could not be reached. */
export type Failed = (to: Address, error: unknown) => void;

/**
 * @param addresses one at least, in the order in which they are to be tried
 * @throws the last one's error where none can be reached; the signal's reason once it gives up, of which
 *   `failed` hears for all that have been tried until then
 */
export async function dialFirst(
  addresses: readonly Address[],
  dial: Dial,
  signal: AbortSignal,
  failed: Failed,
): Promise<Dialled> {
  signal.throwIfAborted();
  const [only, ...others] = addresses;
  if (only !== undefined && others.length === 0) return dialOnly(only, dial, signal, failed);
  const race = new Race(addresses, dial, failed);
  const giveUp = (): void => race.giveUp(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await race.won;
  } finally {
    signal.removeEventListener("abort", giveUp);
    race.end();
  }
}

/** Most servers have one address, and nobody to race against. */
async function dialOnly(
  to: Address,
  dial: Dial,
  signal: AbortSignal,
  failed: Failed,
): Promise<Dialled> {
  try {
    return { connection: await dial(to, signal), to };
  } catch (error) {
    failed(to, error);
    signal.throwIfAborted();
    throw error;
  }
}

class Race {
  readonly won: Promise<Dialled>;
  readonly #settle = Promise.withResolvers<Dialled>();
  readonly #waiting: Address[];
  readonly #running = new Set<Address>();
  readonly #dial: Dial;
  readonly #failed: Failed;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(addresses: readonly Address[], dial: Dial, failed: Failed) {
    this.won = this.#settle.promise;
    this.#waiting = [...addresses];
    this.#dial = dial;
    this.#failed = failed;
    this.#next();
  }

  giveUp(reason: unknown): void {
    for (const to of this.#running) this.#failed(to, reason);
    this.#settle.reject(reason);
  }

  /** Leaves those that have not answered yet. */
  end(): void {
    clearTimeout(this.#timer);
    this.#over.abort();
  }

  #next(): void {
    clearTimeout(this.#timer);
    const to = this.#waiting.shift();
    if (to === undefined) return;
    this.#running.add(to);
    void this.#try(to);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#next(), ATTEMPT_DELAY);
  }

  async #try(to: Address): Promise<void> {
    const { signal } = this.#over;
    try {
      const connection = await this.#dial(to, signal);
      // Two may have been opened in the same moment.
      if (signal.aborted) connection.destroy();
      else this.#settle.resolve({ connection, to });
      this.end();
    } catch (error) {
      if (signal.aborted) return;
      this.#running.delete(to);
      this.#failed(to, error);
      if (this.#running.size === 0 && this.#waiting.length === 0) this.#settle.reject(error);
      else this.#next();
    }
  }
}

/** IPv6 first, then by turns (RFC 8305 section 4), so that a broken family costs one attempt. */
export function interleaved(addresses: readonly string[]): readonly string[] {
  const six = addresses.filter((address) => address.includes(":"));
  const four = addresses.filter((address) => !address.includes(":"));
  const turns = Math.max(six.length, four.length);
  return Array.from({ length: turns }, (_, turn) => [six[turn], four[turn]])
    .flat()
    .filter((address) => address !== undefined);
}
