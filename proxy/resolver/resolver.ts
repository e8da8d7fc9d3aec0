/**
 * nginx's resolver: asks the name servers of the configuration in turn, and keeps each answer for its TTL or for
 * `valid=`. Callers that ask for the same name at the same time share one answer.
 *
 * `node:dns` cannot stand in for it: its resolver tells no TTL of a PTR record, asks the first server only, does
 * not follow an alias, and cannot cancel one query.
 */
import { LRUCache } from "lru-cache";
import type { Ip } from "../../shared/address.ts";
import type { ResolverSettings } from "../config/index.ts";
import { SingleFlight } from "./single-flight.ts";
import type { Transport } from "../transport/index.ts";
import { orGiveUp } from "./give-up.ts";
import {
  type DnsResponse,
  NOT_FOUND,
  type QuestionType,
  isAskable,
  reverseName,
} from "./message.ts";
import { query } from "./query.ts";
import { BUSY, NXDOMAIN, ResolveError, TIMED_OUT } from "./resolve-error.ts";

export interface ResolveOptions {
  /** ms for an answer; 0 for no limit, as in nginx. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface ResolverTiming {
  /** ms without a usable response after which the next server is asked. */
  readonly repeat: number;
  /** The clock by which answers expire. */
  readonly clock: { now(): number };
}

/** nginx's. */
const TIMING: ResolverTiming = { repeat: 5000, clock: performance };

/** Names and addresses that are kept. */
const MOST_KEPT = 20_000;

/** Lookups at once. Each holds a socket or more, and sessions need sockets as well. */
const MOST_AT_ONCE = 1000;

/** CNAMEs after one another, as in nginx. */
const MOST_ALIASES = 50;

export class Resolver {
  readonly #transport: Transport;
  readonly #settings: ResolverSettings;
  readonly #families: readonly QuestionType[];
  readonly #timing: ResolverTiming;
  /** Answers by types and name. */
  readonly #kept: LRUCache<string, readonly string[]>;
  readonly #asked = new SingleFlight<readonly string[]>();
  #next = 0;

  constructor(transport: Transport, settings: ResolverSettings, timing = TIMING) {
    this.#transport = transport;
    this.#settings = settings;
    this.#families = [
      ...(settings.ipv4 ? (["A"] as const) : []),
      ...(settings.ipv6 ? (["AAAA"] as const) : []),
    ];
    this.#timing = timing;
    this.#kept = new LRUCache({
      maxSize: MOST_KEPT,
      sizeCalculation: (values) => values.length,
      ttlResolution: 0,
      perf: timing.clock,
    });
  }

  /** The loopback addresses of the families that `ipv4=` and `ipv6=` ask for. */
  get loopback(): readonly string[] {
    return this.#families.map((type) => (type === "A" ? "127.0.0.1" : "::1"));
  }

  /**
   * Finds the name of an address: that of the first PTR record, in small letters.
   *
   * @throws ResolveError where the address has none; the signal's reason once it aborts
   */
  async reverse(address: Ip, options: ResolveOptions): Promise<string> {
    const [name = ""] = await this.#find(reverseName(address), ["PTR"], options);
    return name;
  }

  /**
   * Finds the addresses of a name, one or more, of the families that `ipv4=` and `ipv6=` ask for.
   *
   * @throws ResolveError where the name has none; the signal's reason once it aborts
   */
  forward(name: string, options: ResolveOptions): Promise<readonly string[]> {
    return this.#find(name.toLowerCase(), this.#families, options);
  }

  async #find(
    name: string,
    types: readonly QuestionType[],
    { timeout, signal }: ResolveOptions,
  ): Promise<readonly string[]> {
    const key = `${types.join()} ${name}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;

    if (this.#asked.size >= MOST_AT_ONCE) throw new ResolveError(BUSY);
    const waiting = new AbortController();
    const deadline = this.#transport.deadline({
      expired: () => waiting.abort(new ResolveError(TIMED_OUT)),
    });
    deadline.set(timeout || Number.POSITIVE_INFINITY);
    try {
      const found = this.#asked.join(key, waiting.signal, async (shared) => {
        const { values, ttl } = await this.#ask(name, types, shared);
        const seconds = this.#settings.valid || ttl;
        // The cache takes a TTL of 0 as no limit.
        if (seconds > 0) this.#kept.set(key, values, { ttl: seconds * 1000 });
        return values;
      });
      return await orGiveUp(found, signal, () => waiting.abort(signal.reason));
    } finally {
      deadline.clear();
    }
  }

  /** Asks for all types at once, each of the same server first. @throws ResolveError where nothing is found */
  async #ask(
    name: string,
    types: readonly QuestionType[],
    signal: AbortSignal,
  ): Promise<DnsResponse> {
    const first = this.#next++;
    const answers = await Promise.all(types.map((type) => this.#follow(type, name, first, signal)));
    const failures = answers.map(({ code }) => code).filter((code) => code !== 0);
    // A failure of the server outweighs the answer that the name does not exist.
    const failure = failures.find((code) => code !== NXDOMAIN) ?? failures[0];
    if (failure !== undefined) throw new ResolveError(failure);
    const found = answers.filter(({ values }) => values.length > 0);
    if (found.length === 0) throw new ResolveError(NXDOMAIN);
    return {
      code: 0,
      alias: null,
      values: found.flatMap(({ values }) => values),
      ttl: Math.min(...found.map(({ ttl }) => ttl)),
    };
  }

  /** Asks for a name, and for the names that it is an alias of. */
  async #follow(
    type: QuestionType,
    name: string,
    first: number,
    signal: AbortSignal,
  ): Promise<DnsResponse> {
    const { servers } = this.#settings;
    const { repeat } = this.#timing;
    const options = { transport: this.#transport, servers, first, repeat };
    let current = name;
    let ttl = Number.POSITIVE_INFINITY;
    for (let aliases = 0; aliases <= MOST_ALIASES && isAskable(current); aliases++) {
      const answer = await query({ type, name: current }, options, signal);
      ttl = Math.min(ttl, answer.ttl);
      if (answer.values.length > 0 || answer.alias === null) return { ...answer, ttl };
      current = answer.alias;
    }
    return NOT_FOUND;
  }
}
