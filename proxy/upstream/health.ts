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

/** A server as a lookup names it, and all that can be dialled for it. */
export interface Upstream {
  readonly server: Address;
  readonly addresses: readonly Address[];
}

/** Hears which servers can be had. */
export interface HealthListener {
  /** Nobody gets through to any address of it. @param why one sentence, with nothing of a user in it */
  failing(server: Address, why: string): void;
  /** Somebody got through. */
  serving(server: Address): void;
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
  readonly #listener: HealthListener | null;

  /**
   * @param listener null where nobody is to hear of anything
   * @param clock ms, never going backwards
   */
  constructor(listener: HealthListener | null = null, clock: { now(): number } = performance) {
    this.#listener = listener;
    this.#clock = clock;
  }

  /** Servers in their order, but those that are set aside last: even they are better than none. */
  order(servers: readonly Address[], settings: HealthSettings): readonly Address[] {
    if (servers.length < 2 || this.#records.size === 0) return servers;
    const aside = servers.filter((server) => this.#isAside(formatAddress(server), settings));
    return [...servers.filter((server) => !aside.includes(server)), ...aside];
  }

  /** Whoever tries a server first after its time aside keeps the others from it until that ends well. */
  trying(server: Address): void {
    const record = this.#records.get(formatAddress(server));
    if (record !== undefined) record.tried = this.#clock.now();
  }

  /**
   * @param upstream the server that has this address
   * @param why what the listener is to hear; null where it says nothing of the server
   */
  failed(
    address: Address,
    settings: HealthSettings,
    upstream: Upstream = { server: address, addresses: [address] },
    why: string | null = null,
  ): void {
    const { max_fails, fail_timeout } = settings;
    const key = formatAddress(address);
    const now = this.#clock.now();
    const { fails, failed } = this.#records.get(key) ?? { fails: 0, failed: now };
    const before = fails < max_fails && now - failed > fail_timeout ? 0 : fails;
    this.#records.set(key, { fails: before + 1, failed: now, tried: now });
    const { server, addresses } = upstream;
    if (
      why !== null &&
      addresses.every((each) => this.#fails(formatAddress(each), settings) !== null)
    ) {
      this.#listener?.failing(server, why);
    }
  }

  /** Failures of the last `fail_timeout` still count, as in nginx: what works now and then is set aside, too. */
  succeeded(address: Address, { fail_timeout }: HealthSettings, server = address): void {
    const key = formatAddress(address);
    const record = this.#records.get(key);
    if (record !== undefined && this.#clock.now() - record.failed > fail_timeout) {
      this.#records.delete(key);
    }
    this.#listener?.serving(server);
  }

  /** Those that are set aside by the settings of one server or another, each as `address:port`. */
  aside(all: readonly HealthSettings[]): readonly string[] {
    return [...this.#records.keys()].filter((key) =>
      all.some((settings) => this.#isAside(key, settings)),
    );
  }

  #isAside(key: string, settings: HealthSettings): boolean {
    const record = this.#fails(key, settings);
    return record !== null && this.#clock.now() - record.tried <= settings.fail_timeout;
  }

  /** What is known of a server that has failed too often; null of any other. */
  #fails(key: string, { max_fails }: HealthSettings): Record | null {
    const record = this.#records.peek(key);
    return record === undefined || max_fails === 0 || record.fails < max_fails ? null : record;
  }
}
