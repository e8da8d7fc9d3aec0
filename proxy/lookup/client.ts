/**
 * The lookup client of one `server {}`: format the request, look into the cache, join the same lookup if it is
 * under way, and else ask the endpoint unless the circuit breaker forbids it.
 */
import type { ByteString } from "../../shared/lookup.ts";
import { TIMED_OUT, reason } from "../reason.ts";
import { CircuitBreaker } from "./breaker.ts";
import { type CachedReply, ReplyCache } from "./cache.ts";
import type { HttpEndpoint, HttpExchange, HttpReceiver } from "./http.ts";
import {
  type LookupReceiver,
  type LookupReply,
  type LookupRequest,
  type PendingLookup,
  unavailable,
} from "./lookup.ts";
import { InvalidReply, type ReplyHead } from "./reply.ts";
import { type FormattedLookup, LookupFormatter, type RequestSettings } from "./request.ts";

export interface LookupSettings extends RequestSettings {
  /** Null with `auth_http_cache off`. */
  readonly auth_http_cache: { readonly entries: number } | null;
}

export interface LookupOptions {
  /** ms that a client waits for a silent endpoint where a stale reply is at hand. */
  readonly patience?: number;
  /** ms, never going back. */
  readonly now?: () => number;
}

const PATIENCE = 5000;

/** ms for a lookup that no client waits for any more: its reply still refreshes the cache. */
const DETACHED_LOOKUP = 60_000;

export class LookupClient {
  readonly breaker: CircuitBreaker;
  readonly cache: ReplyCache | null;
  readonly patience: number;
  readonly #endpoint: Pick<HttpEndpoint, "ask">;
  readonly #formatter: LookupFormatter;
  readonly #underWay = new Map<string, SharedLookup>();
  /** Grows with each `forget`: a lookup of an earlier era is neither kept nor joined any more. */
  #era = 0;

  constructor(
    endpoint: Pick<HttpEndpoint, "ask">,
    settings: LookupSettings,
    options: LookupOptions = {},
  ) {
    const { patience = PATIENCE, now = () => performance.now() } = options;
    const { auth_http_cache: cache } = settings;
    this.patience = patience;
    this.#endpoint = endpoint;
    this.#formatter = new LookupFormatter(settings);
    this.breaker = new CircuitBreaker(now);
    this.cache = cache && new ReplyCache(cache.entries, now);
  }

  get era(): number {
    return this.#era;
  }

  /**
   * A failure on the way is an `unavailable` reply.
   *
   * @returns null where the receiver has been answered already
   */
  lookup(request: LookupRequest, receiver: LookupReceiver): PendingLookup | null {
    const formatted = this.#formatter.format(request);
    if (!isLogin(request)) return this.ask(formatted, request, receiver);
    const key = this.cache?.key(formatted.identity) ?? null;
    const cached = key === null ? undefined : this.cache?.get(key);
    if (cached !== undefined && this.cache?.isFresh(cached) === true) {
      receiver.answered({ ...cached.reply, remembered: { instead: null } });
      return null;
    }
    return this.#join(formatted, key, request, receiver, cached ?? null);
  }

  /** The number of attempts may matter to a refusal, so only lookups with the same number are shared. */
  #join(
    formatted: FormattedLookup,
    key: string | null,
    request: LookupRequest,
    receiver: LookupReceiver,
    stale: CachedReply | null,
  ): PendingLookup | null {
    const sharedKey = `${this.#era} ${request.attempt} ${key ?? formatted.identity}`;
    let shared = this.#underWay.get(sharedKey);
    const first = shared === undefined;
    if (shared === undefined) {
      shared = new SharedLookup(this, formatted, key, request, this.#underWay, sharedKey);
      this.#underWay.set(sharedKey, shared);
    }
    const waiter = new Waiter(shared, receiver, first, stale);
    shared.waiters.push(waiter);
    if (first) shared.start();
    return shared.over ? null : waiter;
  }

  /** Asks the endpoint itself, for one receiver alone. */
  ask(
    formatted: FormattedLookup,
    request: LookupRequest,
    receiver: LookupReceiver,
  ): PendingLookup | null {
    const shared = new SharedLookup(this, formatted, null, request, null, "");
    const waiter = new Waiter(shared, receiver, true, null);
    shared.waiters.push(waiter);
    shared.start();
    return shared.over ? null : waiter;
  }

  open(text: ByteString, receiver: HttpReceiver): HttpExchange {
    return this.#endpoint.ask(text, receiver);
  }

  /** Drops the replies about a user, by either login, in any case. */
  forget(user: ByteString): void {
    this.#era++;
    this.cache?.forget(user);
  }

  forgetAll(): void {
    this.#era++;
    this.cache?.clear();
  }
}

/** One lookup under way, and the sessions that wait for its reply. */
class SharedLookup implements HttpReceiver {
  readonly client: LookupClient;
  readonly formatted: FormattedLookup;
  readonly request: LookupRequest;
  waiters: Waiter[] = [];
  over = false;
  /** The reply's key in the cache; null where it is not kept. */
  readonly key: string | null;
  readonly #era: number;
  readonly #siblings: Map<string, SharedLookup> | null;
  readonly #sharedKey: string;
  #exchange: HttpExchange | null = null;

  /**
   * @param siblings the lookups that may be joined, under `sharedKey`; null for a lookup of its own
   */
  constructor(
    client: LookupClient,
    formatted: FormattedLookup,
    key: string | null,
    request: LookupRequest,
    siblings: Map<string, SharedLookup> | null,
    sharedKey: string,
  ) {
    this.client = client;
    this.formatted = formatted;
    this.request = request;
    this.key = key;
    this.#era = client.era;
    this.#siblings = siblings;
    this.#sharedKey = sharedKey;
  }

  start(): void {
    const refusal = this.client.breaker.refusal();
    if (refusal !== null) this.#answer(unavailable(refusal, false));
    else this.#exchange = this.client.open(this.formatted.text, this);
  }

  replied({ reply }: ReplyHead): void {
    this.client.breaker.replied();
    if (this.key !== null && this.#era === this.client.era) {
      this.client.cache?.update(this.key, reply, this.request);
    }
    this.#answer(reply);
  }

  failed(error: Error): void {
    const why = reason(error);
    const reached = error instanceof InvalidReply;
    if (reached) this.client.breaker.replied();
    else this.client.breaker.failed(why);
    this.#answer(unavailable(why, reached));
  }

  /** @param timedOut true where the endpoint was silent for as long as the waiter waits */
  leave(waiter: Waiter, timedOut: boolean): void {
    const index = this.waiters.indexOf(waiter);
    if (index !== -1) this.waiters.splice(index, 1);
    if (this.over || this.waiters.length > 0) return;
    this.#end();
    this.#exchange?.cancel();
    if (timedOut) this.client.breaker.failed(TIMED_OUT);
  }

  #answer(reply: LookupReply): void {
    this.#end();
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) waiter.answer(reply);
  }

  #end(): void {
    this.over = true;
    if (this.#siblings?.get(this.#sharedKey) === this) this.#siblings.delete(this.#sharedKey);
  }
}

class Waiter implements PendingLookup {
  readonly #shared: SharedLookup;
  /** Null once the receiver has been answered, or has left. */
  #receiver: LookupReceiver | null;
  readonly #first: boolean;
  readonly #stale: CachedReply | null;
  #timer: NodeJS.Timeout | undefined;
  /** The waiter's own lookup, where the shared reply is good for one login only. */
  #own: PendingLookup | null = null;

  /** @param stale the reply that stands in for an endpoint that is out of reach */
  constructor(
    shared: SharedLookup,
    receiver: LookupReceiver,
    first: boolean,
    stale: CachedReply | null,
  ) {
    this.#shared = shared;
    this.#receiver = receiver;
    this.#first = first;
    this.#stale = stale;
    if (stale !== null) {
      this.#timer = setTimeout(() => this.#outOfPatience(), shared.client.patience);
    }
  }

  answer(reply: LookupReply): void {
    clearTimeout(this.#timer);
    const receiver = this.#receiver;
    this.#receiver = null;
    if (receiver === null) return;
    const { client, formatted, request } = this.#shared;
    // A password that is handed out may be good for one login only.
    if (!this.#first && reply.kind === "route" && reply.password !== null) {
      this.#own = client.ask(formatted, request, receiver);
    } else receiver.answered(this.#orStale(reply));
  }

  #orStale(reply: LookupReply): LookupReply {
    if (this.#stale === null || reply.kind !== "unavailable") return reply;
    const { client, key } = this.#shared;
    // A kick may have dropped the reply meanwhile.
    if (key === null || client.cache?.get(key) !== this.#stale) return reply;
    return { ...this.#stale.reply, remembered: { instead: reply.why } };
  }

  /** The client gets the stale reply; the lookup goes on, as its reply counts for the next client. */
  #outOfPatience(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#timer = setTimeout(() => this.#shared.leave(this, true), DETACHED_LOOKUP);
    this.#timer.unref();
    const why = `has not answered for ${this.#shared.client.patience} ms`;
    receiver?.answered(this.#orStale(unavailable(why, false)));
  }

  cancel(): void {
    this.#leave(false);
  }

  timedOut(): void {
    this.#leave(true);
  }

  #leave(timedOut: boolean): void {
    if (this.#own !== null) {
      if (timedOut) this.#own.timedOut();
      else this.#own.cancel();
      return;
    }
    if (this.#receiver === null) return;
    this.#receiver = null;
    clearTimeout(this.#timer);
    this.#shared.leave(this, timedOut);
  }
}

/** Only a password, or a token that stands for one, is asked alike twice; other requests are about one moment. */
function isLogin({ credentials: { method } }: LookupRequest): boolean {
  return method === "plain" || method === "xoauth2" || method === "oauthbearer";
}
