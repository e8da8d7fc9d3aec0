/**
 * Servers that the directory knows by name, for callers that take addresses only, as nginx does: resolved by
 * DNS over HTTPS in its JSON form, which Cloudflare and Google serve. `node:dns` in a Worker asks the same,
 * but always at one endpoint, and tells a failing resolver from a name without addresses by nothing.
 */
import { LRUCache } from "lru-cache";
import { parseIp } from "../../shared/address.ts";

interface Known {
  readonly address: string;
  /** On the clock of `now`, ms; after it, the resolver is asked again. */
  readonly until: number;
}

/** RFC 1035 section 3.2.2, RFC 3596 section 2.1. */
const TYPE_A = 1;
const TYPE_AAAA = 28;

/** Seconds that an answer is kept, whatever its TTL says. */
const SHORTEST = 5;
const LONGEST = 3600;

/** ms that a resolver is given. */
const PATIENCE = 2000;

const MOST_NAMES = 1000;

export class HostNames {
  readonly #endpoint: string;
  readonly #now: () => number;
  readonly #known = new LRUCache<string, Known>({ max: MOST_NAMES });

  constructor(endpoint = "https://cloudflare-dns.com/dns-query", now: () => number = Date.now) {
    this.#endpoint = endpoint;
    this.#now = now;
  }

  /**
   * The address of a host: IPv4 if it has one, else IPv6. While the resolver fails, the last good one serves.
   *
   * @throws Error where there is none, or no answer and there never was one
   */
  async resolve(name: string): Promise<string> {
    const known = this.#known.get(name);
    if (known !== undefined && known.until > this.#now()) return known.address;
    try {
      return this.#learn(name, await this.#ask(name));
    } catch (error) {
      if (known === undefined || error instanceof NoAddress) throw error;
      return this.#learn(name, { address: known.address, ttl: SHORTEST });
    }
  }

  #learn(name: string, { address, ttl }: Answer): string {
    const seconds = Math.min(Math.max(ttl, SHORTEST), LONGEST);
    this.#known.set(name, { address, until: this.#now() + seconds * 1000 });
    return address;
  }

  async #ask(name: string): Promise<Answer> {
    const answer = (await this.#query(name, "A")) ?? (await this.#query(name, "AAAA"));
    if (answer === null) throw new NoAddress(`${name} has no address`);
    return answer;
  }

  async #query(name: string, type: "A" | "AAAA"): Promise<Answer | null> {
    const url = new URL(this.#endpoint);
    url.searchParams.set("name", name);
    url.searchParams.set("type", type);
    const response = await fetch(url, {
      headers: { Accept: "application/dns-json" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!response.ok) throw new Error(`the resolver answered ${response.status} for ${name}`);
    return readAnswer(await response.json(), name, type);
  }
}

/** The resolver knows for sure: what was true before is no longer. */
class NoAddress extends Error {
  override name = "NoAddress";
}

interface Answer {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** RFC 1035 section 4.1.1. */
const NO_ERROR = 0;
const NAME_ERROR = 3;

/**
 * @returns null where the name has no such record
 * @throws Error for anything that is not an answer
 */
function readAnswer(message: unknown, name: string, type: "A" | "AAAA"): Answer | null {
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
