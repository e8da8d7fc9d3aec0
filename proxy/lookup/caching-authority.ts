/**
 * What is asked at once is asked once, and answers that the endpoint lets us keep are kept: those that say yes
 * to a password or a bearer token, and hold no password themselves.
 *
 * An answer is found by the very same request alone, under a keyed hash whose key this process makes up and
 * tells nobody: what is kept holds no password, and none can be guessed from it.
 */
import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { ByteString, Freshness } from "../../shared/lookup.ts";
import { SingleFlight } from "../single-flight.ts";
import type { Answer, Authority, LookupRequest, Responder } from "./authority.ts";
import { type RequestSettings, formatRequest } from "./request.ts";

export interface CachingSettings extends RequestSettings {
  /** Null where nothing is kept. */
  readonly auth_http_cache: { readonly entries: number } | null;
}

export interface CachingOptions {
  /** ms that a client waits for an endpoint which does not answer, where there is an answer from before. */
  readonly patience?: number;
  /** ms, never going back. */
  readonly now?: () => number;
}

const PATIENCE = 5000;

/** ms for a question whose client has not waited for it. */
const LONGEST_QUESTION = 60_000;

type Yes = Answer & { kind: "route" };

interface Kept {
  readonly answer: Yes;
  /** ms, by the cache's clock. */
  readonly freshUntil: number;
  /** The name that was typed, and the one that replaces it. */
  readonly names: readonly ByteString[];
}

interface Question {
  /** All that the endpoint is told, but for what two lookups that ask the same differ in; hashed to be kept. */
  readonly key: string;
  /** As it goes to the endpoint. */
  readonly text: ByteString;
  readonly request: LookupRequest;
}

export class CachingAuthority implements Authority {
  readonly #responder: Responder;
  readonly #settings: CachingSettings;
  readonly #patience: number;
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  readonly #asked = new SingleFlight<Answer>();
  /** Null where nothing is kept. */
  readonly #kept: LRUCache<string, Kept> | null;
  /** Grows when somebody is to be forgotten: what was asked before is not kept, nor shared any more. */
  #era = 0;

  constructor(responder: Responder, settings: CachingSettings, options: CachingOptions = {}) {
    const { patience = PATIENCE, now = () => performance.now() } = options;
    this.#responder = responder;
    this.#settings = settings;
    this.#patience = patience;
    this.#now = now;
    const { auth_http_cache: cache } = settings;
    // Each entry has its own lifetime; without a resolution of 0 the time is kept until a timer fires.
    this.#kept =
      cache && new LRUCache({ max: cache.entries, ttl: 1, ttlResolution: 0, perf: { now } });
  }

  async lookup(request: LookupRequest, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const text = formatRequest(this.#settings, request);
    if (!isLogin(request)) return this.#responder.ask(text, signal);
    const question = this.#question(text, request);
    const kept = this.#kept?.get(question.key);
    if (kept === undefined) return this.#ask(question, signal);
    if (this.#now() < kept.freshUntil) return { ...kept.answer, remembered: { instead: null } };
    const answer = await this.#askBriefly(question, signal);
    if (answer.kind !== "unavailable" || this.#kept?.get(question.key) !== kept) return answer;
    return { ...kept.answer, remembered: { instead: answer.why } };
  }

  /** Drops what is known of a user, by either name; in no particular case, as endpoints may not mind it. */
  forget(user: ByteString): void {
    this.#era++;
    const name = user.toLowerCase();
    const known = Array.from(this.#kept?.entries() ?? []);
    for (const [key, { names }] of known) if (names.includes(name)) this.#kept?.delete(key);
  }

  /** Drops what is known of everybody. */
  forgetAll(): void {
    this.#era++;
    this.#kept?.clear();
  }

  /** Where nothing is kept, what is asked just now is known by itself. */
  #question(text: ByteString, request: LookupRequest): Question {
    const essence = text.replace(INCIDENTAL, "");
    const key =
      this.#kept === null
        ? essence
        : createHmac("sha256", this.#secret).update(essence, "latin1").digest("base64");
    return { key, text, request };
  }

  /** How often a client has tried may matter to a refusal, so those alone share it that have tried as often. */
  async #ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const { key, text, request } = question;
    let first = false;
    const shared = `${this.#era} ${request.attempt} ${key}`;
    const answer = await this.#asked.join(shared, signal, (untilGivenUp) => {
      first = true;
      return this.#askAndKeep(question, untilGivenUp);
    });
    // A password that is handed out may be good for one login only.
    const shareable = first || answer.kind !== "route" || answer.password === null;
    return shareable ? answer : this.#responder.ask(text, signal);
  }

  /** Of a client that need not wait for long; the question goes on, as its answer counts for the next one. */
  async #askBriefly(question: Question, signal: AbortSignal): Promise<Answer> {
    const enough = new AbortController();
    const patience = setTimeout(() => {
      this.#ask(question, AbortSignal.timeout(LONGEST_QUESTION)).catch(() => {});
      enough.abort();
    }, this.#patience);
    try {
      return await this.#ask(question, AbortSignal.any([signal, enough.signal]));
    } catch (error) {
      if (signal.aborted || !enough.signal.aborted) throw error;
      const why = `has not answered for ${this.#patience} ms`;
      return { kind: "unavailable", text: null, errorCode: null, why, reached: false };
    } finally {
      clearTimeout(patience);
    }
  }

  async #askAndKeep({ key, text, request }: Question, signal: AbortSignal): Promise<Answer> {
    const era = this.#era;
    const answer = await this.#responder.ask(text, signal);
    // Who cannot tell says nothing about what was known.
    if (answer.kind === "unavailable" || era !== this.#era) return answer;
    const { freshness } = answer.kind === "route" ? answer : { freshness: null };
    if (answer.kind === "route" && freshness !== null && answer.password === null) {
      this.#keep(key, answer, freshness, request);
    } else this.#kept?.delete(key);
    return answer;
  }

  #keep(
    key: string,
    answer: Yes,
    { maxAge, staleIfError }: Freshness,
    { credentials }: LookupRequest,
  ): void {
    const typed = "login" in credentials ? credentials.login : "";
    const names = [typed, answer.login ?? typed].map((name) => name.toLowerCase());
    const freshUntil = this.#now() + maxAge * 1000;
    this.#kept?.set(key, { answer, freshUntil, names }, { ttl: (maxAge + staleIfError) * 1000 });
  }
}

const INCIDENTAL = /(?<=\r\n)(?:Auth-Login-Attempt|Traceparent): [^\r\n]*\r\n/g;

/** By a password, or by what stands for one: all else is a question of the moment. */
function isLogin({ credentials: { method } }: LookupRequest): boolean {
  return method === "plain" || method === "xoauth2" || method === "oauthbearer";
}
