/** A token's way to the provider that can tell about it, and what is remembered of it for a minute. */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { type Finding, FORGED } from "./token-result.ts";
import { introspect } from "./introspection.ts";
import { issuerOf, jwtVerifier } from "./jwt.ts";
import type { Provider } from "./providers.ts";

/** RFC 6750 section 2.1, of a length that a lookup can carry. */
const TOKEN = /^[A-Za-z0-9._~+/-]{1,8192}=*$/;

const ENTRIES = 10_000;
/** ms: a mail program opens several connections at once; for so long it may use a revoked token. */
const LIFETIME = 60_000;

type Check = (token: string) => Promise<Finding>;

export class Tokens {
  /** The first one: where a client that is refused is sent. */
  readonly provider: Provider;
  readonly #checks: readonly { readonly provider: Provider; readonly check: Check }[];
  /** By the SHA-256 of the token; good ones alone. */
  readonly #good: LRUCache<string, Finding>;
  readonly #now: () => number;

  /** @param now ms since the epoch */
  constructor(providers: readonly [Provider, ...Provider[]], now: () => number = Date.now) {
    this.#now = now;
    // Without a resolution of 0 the time is kept until a timer fires, which it never does if its request is
    // called off.
    this.#good = new LRUCache({ max: ENTRIES, ttl: LIFETIME, ttlResolution: 0, perf: { now } });
    this.provider = providers[0];
    this.#checks = providers.map((provider) => ({ provider, check: checkOf(provider) }));
  }

  /** Finds out about a token; never throws for what is in it. */
  async find(proof: Uint8Array): Promise<Finding> {
    const token = new TextDecoder("latin1").decode(proof);
    if (!TOKEN.test(token)) return FORGED;
    const key = createHash("sha256").update(proof).digest("base64");
    const known = this.#good.get(key);
    if (known !== undefined) return known;
    const finding = (await this.#checkFor(token)?.(token)) ?? FORGED;
    if (finding.kind === "valid") {
      const ttl = Math.min(LIFETIME, finding.expires - this.#now());
      if (ttl > 0) this.#good.set(key, finding, { ttl });
    }
    return finding;
  }

  /** The issuer's own; what no such provider signs is for the one that is asked. */
  #checkFor(token: string): Check | undefined {
    const issuer = issuerOf(token);
    const own = this.#checks.find(({ provider }) => issuer !== null && provider.issuer === issuer);
    const asked = this.#checks.find(({ provider }) => "introspection" in provider);
    return (own ?? asked)?.check;
  }
}

function checkOf(provider: Provider): Check {
  if ("jwks" in provider) return jwtVerifier(provider);
  return (token) => introspect(token, provider);
}
