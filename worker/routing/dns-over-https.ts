/**
 * Resolves servers' host names for callers that accept only addresses, as nginx does. It uses the JSON form of
 * DNS over HTTPS, which Cloudflare and Google serve. `node:dns` in a Worker does too, but it has a fixed endpoint,
 * and its errors do not tell a failing resolver from a name without addresses.
 */
import { LRUCache } from "lru-cache";
import { parseIp } from "../../shared/address.ts";

interface CachedAddress {
  readonly address: string;
  /** ms, on the clock of `now`. Afterwards the resolver is asked again. */
  readonly expires: number;
}

/** RFC 1035 section 3.2.2, RFC 3596 section 2.1. */
const TYPE_A = 1;
const TYPE_AAAA = 28;

/** Bounds of an answer's TTL, seconds. */
const MIN_TTL = 5;
const MAX_TTL = 3600;

/** ms to wait for the resolver. */
const TIMEOUT = 2000;

const MAX_NAMES = 1000;

export class DnsOverHttps {
  readonly #endpoint: string;
  readonly #now: () => number;
  readonly #cache = new LRUCache<string, CachedAddress>({ max: MAX_NAMES });

  constructor(endpoint = "https://cloudflare-dns.com/dns-query", now: () => number = Date.now) {
    this.#endpoint = endpoint;
    this.#now = now;
  }

  /**
   * Resolves a name to an IPv4 address, or to IPv6 if there is no IPv4. While the resolver fails, the last known
   * address is returned.
   *
   * @throws Error if the name has no address, or the resolver fails and there is no known address
   */
  async resolve(name: string): Promise<string> {
    const cached = this.#cache.get(name);
    if (cached !== undefined && cached.expires > this.#now()) return cached.address;
    try {
      return this.#store(name, await this.#ask(name));
    } catch (error) {
      if (cached === undefined || error instanceof NoAddress) throw error;
      return this.#store(name, { address: cached.address, ttl: MIN_TTL });
    }
  }

  #store(name: string, { address, ttl }: DnsAnswer): string {
    const seconds = Math.min(Math.max(ttl, MIN_TTL), MAX_TTL);
    this.#cache.set(name, { address, expires: this.#now() + seconds * 1000 });
    return address;
  }

  async #ask(name: string): Promise<DnsAnswer> {
    const answer = (await this.#query(name, "A")) ?? (await this.#query(name, "AAAA"));
    if (answer === null) throw new NoAddress(`${name} has no address`);
    return answer;
  }

  async #query(name: string, type: "A" | "AAAA"): Promise<DnsAnswer | null> {
    const url = new URL(this.#endpoint);
    url.searchParams.set("name", name);
    url.searchParams.set("type", type);
    const response = await fetch(url, {
      headers: { Accept: "application/dns-json" },
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (!response.ok) throw new Error(`the resolver answered ${response.status} for ${name}`);
    return readAnswer(await response.json(), name, type);
  }
}

/** The resolver has answered that there is no address, so the known one is no longer valid. */
class NoAddress extends Error {
  override name = "NoAddress";
}

interface DnsAnswer {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** RFC 1035 section 4.1.1. */
const NO_ERROR = 0;
const NAME_ERROR = 3;

/**
 * @returns null if the name has no such record
 * @throws Error if the message is not a DNS answer
 */
function readAnswer(message: unknown, name: string, type: "A" | "AAAA"): DnsAnswer | null {
  const { Status: status, Answer: records = [] } = asObject(message);
  if (status === NAME_ERROR) return null;
  if (status !== NO_ERROR || !Array.isArray(records)) {
    throw new Error(`the resolver has no answer for ${name}`);
  }
  const wanted = type === "A" ? TYPE_A : TYPE_AAAA;
  for (const record of records) {
    const { type: found, data, TTL: ttl } = asObject(record);
    if (found !== wanted || typeof data !== "string" || typeof ttl !== "number") continue;
    if (parseIp(data) === null) throw new Error(`the resolver has no address for ${name}`);
    return { address: data, ttl };
  }
  return null;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
