/** Promises that a run settles when its choices say so: verdicts of limits, and names. */
import type { Claim, Denial, Limiter } from "../../../proxy/limits/index.ts";
import { type ConnectionCounts, WorkerCounts } from "../../../proxy/limits/index.ts";
import { type HostResolver, ResolveError, type Resolver } from "../../../proxy/resolver/index.ts";
import type { Add, Network } from "./network.ts";

export class PendingPromises {
  readonly #network: Network;
  readonly #pending = new Set<() => void>();
  /** True once a promise was settled, until the code that awaits it has run. */
  settled = false;

  constructor(network: Network) {
    this.#network = network;
  }

  get size(): number {
    return this.#pending.size;
  }

  options(add: Add): void {
    for (const settle of this.#pending) add(5, settle);
  }

  /** @param signal rejects at once with its reason */
  promise<Value>(what: string, settle: () => Value, signal?: AbortSignal): Promise<Value> {
    return new Promise((resolve, reject) => {
      const finish = (run: () => void): void => {
        this.#pending.delete(settleOne);
        this.settled = true;
        run();
      };
      const settleOne = (): void =>
        finish(() => {
          this.#network.trace(() => `${what} is known`);
          try {
            resolve(settle());
          } catch (error) {
            reject(error);
          }
        });
      signal?.addEventListener("abort", () => finish(() => reject(signal.reason as Error)));
      this.#pending.add(settleOne);
    });
  }
}

/** Grants claims at once, or later as the primary process does. */
export class SimLimiter implements Limiter {
  readonly #counts: WorkerCounts;
  readonly #promises: PendingPromises | null;

  /** @param promises null where claims are granted at once */
  constructor(counts: ConnectionCounts, promises: PendingPromises | null) {
    this.#counts = new WorkerCounts(counts);
    this.#promises = promises;
  }

  claim(session: number, claims: readonly Claim[]): Denial | null | Promise<Denial | null> {
    const verdict = this.#counts.claim(session, claims);
    if (this.#promises === null) return verdict;
    return this.#promises.promise("the verdict on a claim", () => verdict);
  }

  release(...given: Parameters<Limiter["release"]>): void {
    this.#counts.release(...given);
  }
}

/** The names of servers: one address, two, or none. */
export function hostResolver(network: Network, promises: PendingPromises): HostResolver {
  return {
    addresses: (_name, signal) =>
      promises.promise(
        "an address",
        () => {
          const found = network.choices.below(4);
          if (found === 3) throw new ResolveError(3);
          return found === 2 ? ["10.0.0.4"] : ["10.0.0.4", "10.0.0.5"];
        },
        signal,
      ),
  };
}

/** The names of clients. */
export function clientResolver(network: Network, promises: PendingPromises): Resolver {
  const later = <Value>(value: Value, signal: AbortSignal): Promise<Value> =>
    promises.promise(
      "a name",
      () => {
        if (network.choices.oneIn(4)) throw new ResolveError(2);
        return value;
      },
      signal,
    );
  const resolver: Pick<Resolver, "reverse" | "forward"> = {
    reverse: (_ip, { signal }) => later("client.test", signal),
    forward: (_name, { signal }) => later(["192.0.2.9"], signal),
  };
  return resolver as Resolver;
}
