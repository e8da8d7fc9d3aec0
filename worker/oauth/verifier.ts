/** Verifies a token with the right provider, and caches valid tokens for a minute. */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { type TokenResult, FORGED } from "./token-result.ts";
import { introspect } from "./introspection.ts";
import { issuerOf, jwtVerifier } from "./jwt.ts";
import type { Provider } from "./providers.ts";

/** RFC 6750 section 2.1, with a length that fits into a lookup. */
const TOKEN = /^[A-Za-z0-9._~+/-]{1,8192}=*$/;

const ENTRIES = 10_000;
/** ms: mail programs open several connections at once. A revoked token may work for this time. */
const TTL = 60_000;

type Check = (token: string) => Promise<TokenResult>;

export class TokenVerifier {
  /** The first provider, to which refused clients are referred. */
  readonly provider: Provider;
  readonly #checks: readonly { readonly provider: Provider; readonly check: Check }[];
  /** The results of valid tokens, by the SHA-256 of the token. */
  readonly #valid: LRUCache<string, TokenResult>;
  readonly #now: () => number;

  /** @param now ms since the epoch */
  constructor(providers: readonly [Provider, ...Provider[]], now: () => number = Date.now) {
    this.#now = now;
    // With another resolution the cache would keep the time until a timer fires, and Workers cancel the timer with
    // the request that set it.
    this.#valid = new LRUCache({ max: ENTRIES, ttl: TTL, ttlResolution: 0, perf: { now } });
    this.provider = providers[0];
    this.#checks = providers.map((provider) => ({ provider, check: checkOf(provider) }));
  }

  /** Does not throw for any content of the token. */
  async verify(proof: Uint8Array): Promise<TokenResult> {
    const token = new TextDecoder("latin1").decode(proof);
    if (!TOKEN.test(token)) return FORGED;
    const key = createHash("sha256").update(proof).digest("base64");
    const cached = this.#valid.get(key);
    if (cached !== undefined) return cached;
    const result = (await this.#checkFor(token)?.(token)) ?? FORGED;
    if (result.kind === "valid") {
      const ttl = Math.min(TTL, result.expires - this.#now());
      if (ttl > 0) this.#valid.set(key, result, { ttl });
    }
    return result;
  }

  /** A token of no known issuer goes to the provider with introspection. */
  #checkFor(token: string): Check | undefined {
    const issuer = issuerOf(token);
    const own = this.#checks.find(({ provider }) => issuer !== null && provider.issuer === issuer);
    const introspecting = this.#checks.find(({ provider }) => "introspection" in provider);
    return (own ?? introspecting)?.check;
  }
}

function checkOf(provider: Provider): Check {
  if ("jwks" in provider) return jwtVerifier(provider);
  return (token) => introspect(token, provider);
}
