/**
 * nginx's resolver: asks the name servers that the configuration names, round robin, and keeps what they
 * say for as long as it holds. Who asks for what is being asked already gets the same answer.
 */
import { LRUCache } from "lru-cache";
import type { Ip } from "../../shared/address.ts";
import type { ResolverSettings } from "../config/index.ts";
import { SingleFlight } from "../single-flight.ts";
import { type Transport, orGiveUp } from "../transport/index.ts";
import { BUSY, NXDOMAIN, ResolveError, TIMED_OUT } from "./resolve-error.ts";
import { query } from "./query.ts";
import { type DnsResponse, NOTHING, type QuestionType, isAskable, reverseName } from "./message.ts";

/** How long somebody waits for an answer. */
export interface ResolveOptions {
  /** ms; 0 for as long as it takes, as in nginx. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

export interface ResolverTiming {
  /** ms without a usable answer after which the next server is asked. */
  readonly repeat: number;
  /** The clock that answers age by. */
  readonly clock: { now(): number };
}

/** nginx's. */
const TIMING: ResolverTiming = { repeat: 5000, clock: performance };

/** Names and addresses kept. */
const MOST_KEPT = 20_000;

/** Lookups at once; each holds a socket or more, which sessions need as well. */
const MOST_AT_ONCE = 1000;

/** CNAMEs after one another, as in nginx. */
const MOST_ALIASES = 50;

export class Resolver {
  readonly #transport: Transport;
  readonly #settings: ResolverSettings;
  readonly #families: readonly QuestionType[];
  readonly #timing: ResolverTiming;
  /** By types and name; likewise what is being asked. */
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
   * The name of an address: that of the first PTR record, in small letters.
   *
   * @throws ResolveError where there is none; the signal's reason once it gives up
   */
  async reverse(address: Ip, patience: ResolveOptions): Promise<string> {
    const [name = ""] = await this.#find(reverseName(address), ["PTR"], patience);
    return name;
  }

  /**
   * The addresses of a name, one or more: those that `ipv4=` and `ipv6=` ask for.
   *
   * @throws ResolveError where there are none; the signal's reason once it gives up
   */
  forward(name: string, patience: ResolveOptions): Promise<readonly string[]> {
    return this.#find(name.toLowerCase(), this.#families, patience);
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
      const found = this.#asked.join(key, waiting.signal, async (anybody) => {
        const { values, ttl } = await this.#ask(name, types, anybody);
        const seconds = this.#settings.valid || ttl;
        // To the cache, 0 would be for ever.
        if (seconds > 0) this.#kept.set(key, values, { ttl: seconds * 1000 });
        return values;
      });
      return await orGiveUp(found, signal, () => waiting.abort(signal.reason));
    } finally {
      deadline.clear();
    }
  }

  /** All types at once, and first of the same server. @throws ResolveError where nothing is found */
  async #ask(
    name: string,
    types: readonly QuestionType[],
    signal: AbortSignal,
  ): Promise<DnsResponse> {
    const first = this.#next++;
    const answers = await Promise.all(types.map((type) => this.#follow(type, name, first, signal)));
    const failures = answers.map(({ code }) => code).filter((code) => code !== 0);
    // That it cannot be told weighs more than that there is no such name.
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

  /** Where a name only stands for another one, asks for that one. */
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
    return NOTHING;
  }
}
