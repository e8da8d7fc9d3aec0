/** One lookup under way, and the sessions that wait for its reply. */
import type { ByteString } from "../../shared/lookup.ts";
import { TIMED_OUT, reason } from "../reason.ts";
import type { Revocations } from "../revocation/index.ts";
import type { CircuitBreaker } from "./breaker.ts";
import type { CachedReply, ReplyCache } from "./cache.ts";
import type { HttpExchange, HttpReceiver } from "./http.ts";
import {
  type LookupReceiver,
  type LookupReply,
  type LookupRequest,
  type PendingLookup,
  unavailable,
} from "./lookup.ts";
import { InvalidReply, type ReplyHead } from "./reply.ts";
import type { FormattedLookup } from "./request.ts";

/** The lookup client, as its lookups use it. */
export interface LookupContext {
  readonly breaker: CircuitBreaker;
  /** Null where no reply is kept. */
  readonly cache: ReplyCache | null;
  readonly revocations: Revocations;
  /** ms that a client waits for a silent endpoint where a stale reply is at hand. */
  readonly patience: number;
  /** ms for a reply. */
  readonly timeout: number;
  /** Asks the endpoint. @param bookmark the reply must not be older; null for any reply */
  open(text: ByteString, bookmark: string | null, receiver: HttpReceiver): HttpExchange;
  /** Makes a lookup for one receiver alone. @returns null where the receiver has been answered already */
  ask(
    formatted: FormattedLookup,
    request: LookupRequest,
    receiver: LookupReceiver,
  ): PendingLookup | null;
}

export class SharedLookup implements HttpReceiver {
  readonly client: LookupContext;
  readonly formatted: FormattedLookup;
  readonly request: LookupRequest;
  waiters: Waiter[] = [];
  over = false;
  /** The reply's key in the cache; null where it is not kept. */
  readonly key: string | null;
  /** The era of the revocations in which the endpoint was asked. */
  #asked = 0;
  /** True once the endpoint has been asked again, because its reply was older than a kick. */
  #repeated = false;
  readonly #siblings: Map<string, SharedLookup> | null;
  readonly #sharedKey: string;
  #exchange: HttpExchange | null = null;
  /** Runs while the reply would refresh the cache, though no session may wait for it any more. */
  #refresh: NodeJS.Timeout | undefined;

  /**
   * @param siblings the lookups that may be joined, under `sharedKey`; null for a lookup of its own
   */
  constructor(
    client: LookupContext,
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
    this.#siblings = siblings;
    this.#sharedKey = sharedKey;
  }

  start(): void {
    const refusal = this.client.breaker.refusal();
    if (refusal !== null) this.#answer(unavailable(refusal, true));
    else this.#ask(this.client.revocations.floor);
  }

  #ask(bookmark: string | null): void {
    this.#asked = this.client.revocations.era;
    this.#exchange = this.client.open(this.formatted.text, bookmark, this);
  }

  replied({ reply }: ReplyHead): void {
    const { breaker, cache, revocations } = this.client;
    breaker.replied();
    const typed = this.#typed;
    if (reply.kind === "route") {
      const bookmark = revocations.newerThan(typed, reply, this.#asked);
      if (bookmark !== null) {
        this.#repeat(bookmark);
        return;
      }
      revocations.heard(reply);
    }
    if (this.key !== null) cache?.update(this.key, reply, typed, this.#asked);
    this.#answer(reply);
  }

  /** A replica of the directory may lag behind the kick; the bookmark makes the endpoint wait for it, or ask the primary. */
  #repeat(bookmark: string): void {
    if (this.#repeated) {
      this.#answer(unavailable("sent a reply from before the user's last change", false));
      return;
    }
    this.#repeated = true;
    this.#ask(bookmark);
  }

  get #typed(): ByteString {
    const { credentials } = this.request;
    return "login" in credentials ? credentials.login : "";
  }

  failed(error: Error): void {
    const why = reason(error);
    if (error instanceof InvalidReply) this.client.breaker.replied();
    else this.client.breaker.failed(why);
    this.#answer(unavailable(why, true));
  }

  /** The waiter's session needs the reply no more, but the cache does. */
  detach(waiter: Waiter): void {
    this.#remove(waiter);
    if (this.over || this.#refresh !== undefined) return;
    this.#refresh = setTimeout(() => this.#giveUp(true), this.client.timeout);
    this.#refresh.unref();
  }

  /** @param timedOut true where the endpoint was silent for as long as the waiter waits */
  leave(waiter: Waiter, timedOut: boolean): void {
    this.#remove(waiter);
    if (this.over || this.waiters.length > 0) return;
    if (timedOut || this.#refresh === undefined) this.#giveUp(timedOut);
  }

  #remove(waiter: Waiter): void {
    const index = this.waiters.indexOf(waiter);
    if (index !== -1) this.waiters.splice(index, 1);
  }

  /** Sessions that have joined meanwhile still wait. */
  #giveUp(timedOut: boolean): void {
    this.#refresh = undefined;
    if (this.waiters.length > 0) return;
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
    clearTimeout(this.#refresh);
    if (this.#siblings?.get(this.#sharedKey) === this) this.#siblings.delete(this.#sharedKey);
  }
}

export class Waiter implements PendingLookup {
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
    if (stale !== null) this.#arm();
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#outOfPatience(), this.#shared.client.patience);
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
    if (reply.kind !== "unavailable" || !reply.outage) return reply;
    return this.#standIn(reply.why) ?? reply;
  }

  /** Null where no remembered reply may stand in: a kick may have dropped it meanwhile. */
  #standIn(why: string): LookupReply | null {
    const { client, key } = this.#shared;
    const { cache } = client;
    if (this.#stale === null || key === null || cache === null || !cache.standsIn) return null;
    if (cache.get(key) !== this.#stale) return null;
    return { ...this.#stale.reply, remembered: { instead: why } };
  }

  /** The client gets the stale reply; the lookup goes on, as its reply counts for the next client. */
  #outOfPatience(): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    const stale = this.#standIn(`has not answered for ${this.#shared.client.patience} ms`);
    // Without a stale reply the client waits for the endpoint as long as any other.
    if (stale === null) return;
    this.#receiver = null;
    this.#shared.detach(this);
    receiver.answered(stale);
  }

  cancel(): void {
    if (this.#own === null) this.#leave(false);
    else this.#own.cancel();
  }

  timedOut(): LookupReply {
    if (this.#own !== null) return this.#own.timedOut();
    this.#leave(true);
    return this.#standIn(TIMED_OUT) ?? unavailable(TIMED_OUT, true);
  }

  #leave(timedOut: boolean): void {
    if (this.#receiver === null) return;
    this.#receiver = null;
    clearTimeout(this.#timer);
    this.#shared.leave(this, timedOut);
  }
}
