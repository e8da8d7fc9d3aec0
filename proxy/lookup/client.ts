/**
 * The lookup client of one `server {}`: format the request, look into the cache, join the same lookup if it is
 * under way, and else ask the endpoint unless the circuit breaker forbids it.
 */
import type { ByteString } from "../../shared/lookup.ts";
import { Revocations } from "../revocation/index.ts";
import { CircuitBreaker } from "./breaker.ts";
import { type CachedReply, ReplyCache } from "./cache.ts";
import type { HttpEndpoint, HttpExchange, HttpReceiver } from "./http.ts";
import type { LookupReceiver, LookupRequest, PendingLookup } from "./lookup.ts";
import {
  type FormattedLookup,
  LookupFormatter,
  type RequestSettings,
  withBookmark,
} from "./request.ts";
import { type LookupContext, SharedLookup, Waiter } from "./shared-lookup.ts";

export interface LookupSettings extends RequestSettings {
  /** Null with `auth_http_cache off`. */
  readonly auth_http_cache: { readonly entries: number } | null;
  /** ms that a client waits for a reply. */
  readonly auth_http_timeout: number;
}

export interface LookupOptions {
  /** The revocations of the whole process. */
  readonly revocations?: Revocations;
  /** ms that a client waits for a silent endpoint where a stale reply is at hand. */
  readonly patience?: number;
  /** ms, never going back. */
  readonly now?: () => number;
}

const PATIENCE = 5000;

export class LookupClient implements LookupContext {
  readonly breaker: CircuitBreaker;
  readonly cache: ReplyCache | null;
  readonly revocations: Revocations;
  readonly patience: number;
  readonly timeout: number;
  readonly #endpoint: Pick<HttpEndpoint, "ask">;
  readonly #formatter: LookupFormatter;
  readonly #underWay = new Map<string, SharedLookup>();

  constructor(
    endpoint: Pick<HttpEndpoint, "ask">,
    settings: LookupSettings,
    options: LookupOptions = {},
  ) {
    const { revocations = new Revocations("connected"), patience = PATIENCE } = options;
    const { now = () => performance.now() } = options;
    const { auth_http_cache: cache, auth_http_timeout: timeout } = settings;
    this.patience = patience;
    this.timeout = timeout;
    this.revocations = revocations;
    this.#endpoint = endpoint;
    this.#formatter = new LookupFormatter(settings);
    this.breaker = new CircuitBreaker(now);
    this.cache = cache && new ReplyCache(cache.entries, revocations, now);
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

  /**
   * The number of attempts may matter to a refusal, so only lookups with the same number are shared. A lookup from
   * before a kick is not joined after it.
   */
  #join(
    formatted: FormattedLookup,
    key: string | null,
    request: LookupRequest,
    receiver: LookupReceiver,
    stale: CachedReply | null,
  ): PendingLookup | null {
    const { era } = this.revocations;
    const sharedKey = `${era} ${request.attempt} ${key ?? formatted.identity}`;
    let shared = this.#underWay.get(sharedKey);
    const first = shared === undefined;
    if (shared === undefined) {
      shared = new SharedLookup(this, formatted, key, request, this.#underWay, sharedKey);
      this.#underWay.set(sharedKey, shared);
    }
    return this.#wait(shared, new Waiter(shared, receiver, first, stale), first);
  }

  ask(
    formatted: FormattedLookup,
    request: LookupRequest,
    receiver: LookupReceiver,
  ): PendingLookup | null {
    const shared = new SharedLookup(this, formatted, null, request, null, "");
    return this.#wait(shared, new Waiter(shared, receiver, true, null), true);
  }

  #wait(shared: SharedLookup, waiter: Waiter, first: boolean): PendingLookup | null {
    shared.waiters.push(waiter);
    if (first) shared.start();
    return shared.over ? null : waiter;
  }

  open(text: ByteString, bookmark: string | null, receiver: HttpReceiver): HttpExchange {
    const request = bookmark === null ? text : withBookmark(text, bookmark);
    return this.#endpoint.ask(request, receiver);
  }
}

/** Only a password, or a token that stands for one, is asked alike twice; other requests are about one moment. */
function isLogin({ credentials: { method } }: LookupRequest): boolean {
  return method === "plain" || method === "xoauth2" || method === "oauthbearer";
}
