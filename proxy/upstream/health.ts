/**
 * Which servers fail, as nginx's upstream module keeps it: after `max_fails` failures within `fail_timeout`
 * a server is set aside for as long; then one session tries it, and the others follow when that one got through.
 */
import { LRUCache } from "lru-cache";
import { formatAddress } from "../../shared/address.ts";
import type { Address } from "../transport/index.ts";

export interface HealthSettings {
  /** Failures; 0 sets nobody aside. */
  readonly max_fails: number;
  /** ms. */
  readonly fail_timeout: number;
}

interface Record {
  fails: number;
  /** When it failed last, and when somebody last began to try it; ms. */
  failed: number;
  tried: number;
}

/** Servers remembered; those of which nothing has been heard for longest are forgotten. */
const MOST_KEPT = 10_000;

export class Health {
  readonly #records = new LRUCache<string, Record>({ max: MOST_KEPT });
  readonly #clock: { now(): number };

  /** @param clock ms, never going backwards */
  constructor(clock: { now(): number } = performance) {
    this.#clock = clock;
  }

  /** Servers in their order, but those that are set aside last: even they are better than none. */
  order(servers: readonly Address[], settings: HealthSettings): readonly Address[] {
    if (servers.length < 2 || this.#records.size === 0) return servers;
    const aside = servers.filter((server) => this.#isAside(server, settings));
    return [...servers.filter((server) => !aside.includes(server)), ...aside];
  }

  /** Whoever tries a server first after its time aside keeps the others from it until that ends well. */
  trying(server: Address): void {
    const record = this.#records.get(formatAddress(server));
    if (record !== undefined) record.tried = this.#clock.now();
  }

  failed(server: Address, { max_fails, fail_timeout }: HealthSettings): void {
    const key = formatAddress(server);
    const now = this.#clock.now();
    const { fails, failed } = this.#records.get(key) ?? { fails: 0, failed: now };
    const before = fails < max_fails && now - failed > fail_timeout ? 0 : fails;
    this.#records.set(key, { fails: before + 1, failed: now, tried: now });
  }

  /** Failures of the last `fail_timeout` still count, as in nginx: what works now and then is set aside, too. */
  succeeded(server: Address, { fail_timeout }: HealthSettings): void {
    const key = formatAddress(server);
    const record = this.#records.get(key);
    if (record !== undefined && this.#clock.now() - record.failed > fail_timeout) {
      this.#records.delete(key);
    }
  }

  #isAside(server: Address, { max_fails, fail_timeout }: HealthSettings): boolean {
    const record = this.#records.get(formatAddress(server));
    if (record === undefined || max_fails === 0 || record.fails < max_fails) return false;
    return this.#clock.now() - record.tried <= fail_timeout;
  }
}
