/**
 * Passive health checks, as in nginx's upstream module: after `max_fails` failures within `fail_timeout` a server
 * is set aside for that long; then one session tries it, and the others follow once that session got through.
 */
import { LRUCache } from "lru-cache";
import { formatAddress } from "../../shared/address.ts";
import type { Address } from "../transport/index.ts";

export interface HealthSettings {
  /** Failures; 0 sets no server aside. */
  readonly max_fails: number;
  /** ms. */
  readonly fail_timeout: number;
}

/** A server as a lookup names it, and its addresses. */
export interface Upstream {
  readonly server: Address;
  readonly addresses: readonly Address[];
}

/** Hears which servers fail and which serve. */
export interface HealthListener {
  /** Every address of the server has failed too often. @param why one sentence without a user's data */
  failing(server: Address, why: string): void;
  /** A session got through. */
  serving(server: Address): void;
}

interface Failures {
  fails: number;
  /** The time of the last failure, ms. */
  failed: number;
  /** The time of the last attempt, ms. */
  tried: number;
}

/** Addresses remembered; the one without news for longest is forgotten first. */
const MOST_KEPT = 10_000;

export class Health {
  readonly #records: LRUCache<string, Failures>;
  readonly #clock: { now(): number };
  readonly #listener: HealthListener | null;

  /**
   * @param listener null without a fleet
   * @param clock ms, never going backwards
   * @param most addresses remembered
   */
  constructor(
    listener: HealthListener | null = null,
    clock: { now(): number } = performance,
    most = MOST_KEPT,
  ) {
    this.#records = new LRUCache({ max: most });
    this.#listener = listener;
    this.#clock = clock;
  }

  /** The servers in their order, with those that are set aside at the end: even they are better than none. */
  order(servers: readonly Address[], settings: HealthSettings): readonly Address[] {
    if (servers.length < 2 || this.#records.size === 0) return servers;
    const aside = servers.filter((server) => this.#isAside(formatAddress(server), settings));
    return [...servers.filter((server) => !aside.includes(server)), ...aside];
  }

  /** The first session to try a server after its time aside keeps the others from it until that session succeeds. */
  trying(server: Address): void {
    if (this.#records.size === 0) return;
    const record = this.#records.get(formatAddress(server));
    if (record !== undefined) record.tried = this.#clock.now();
  }

  /**
   * @param upstream the server of this address
   * @param why for the listener; null where the failure says nothing about the server
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

  /** Failures of the last `fail_timeout` still count, as in nginx, so that a server that works now and then is set aside too. */
  succeeded(address: Address, { fail_timeout }: HealthSettings, server = address): void {
    const key = this.#records.size === 0 ? "" : formatAddress(address);
    const record = this.#records.get(key);
    if (record !== undefined && this.#clock.now() - record.failed > fail_timeout) {
      this.#records.delete(key);
    }
    this.#listener?.serving(server);
  }

  /** The addresses that the settings of any server set aside, each as `address:port`. */
  aside(all: readonly HealthSettings[]): readonly string[] {
    return [...this.#records.keys()].filter((key) =>
      all.some((settings) => this.#isAside(key, settings)),
    );
  }

  #isAside(key: string, settings: HealthSettings): boolean {
    const record = this.#fails(key, settings);
    return record !== null && this.#clock.now() - record.tried <= settings.fail_timeout;
  }

  /** @returns null for an address that has not failed too often */
  #fails(key: string, { max_fails }: HealthSettings): Failures | null {
    const record = this.#records.peek(key);
    return record === undefined || max_fails === 0 || record.fails < max_fails ? null : record;
  }
}
