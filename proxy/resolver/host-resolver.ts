/** Resolves host names to addresses, by the system or by the name servers of a `resolver` directive. */
import { lookup } from "node:dns/promises";
import { isLocalhost } from "../../shared/address.ts";
import { SingleFlight } from "./single-flight.ts";
import { NXDOMAIN, ResolveError, SERVFAIL } from "./resolve-error.ts";
import type { Resolver } from "./resolver.ts";

export interface HostResolver {
  /**
   * @returns one or more addresses
   * @throws ResolveError where the name has none, or none can be found now; the signal's reason once it aborts
   */
  addresses(name: string, signal: AbortSignal): Promise<readonly string[]>;
}

/** The system's resolver. Callers that ask for the same name at the same time share one answer. */
export class SystemResolver implements HostResolver {
  readonly #asked = new SingleFlight<readonly string[]>();

  addresses(name: string, signal: AbortSignal): Promise<readonly string[]> {
    // The hosts file knows this name, and glibc would ask DNS for the names below it.
    const host = isLocalhost(name) ? "localhost" : name;
    return this.#asked.join(host, signal, async () => {
      try {
        const found = await lookup(host, { all: true, order: "verbatim" });
        return [...new Set(found.map(({ address }) => address))];
      } catch (error) {
        const missing = error instanceof Error && "code" in error && error.code === "ENOTFOUND";
        throw new ResolveError(missing ? NXDOMAIN : SERVFAIL);
      }
    });
  }
}

/** The name servers of a `resolver` directive. @param timeout `resolver_timeout`, ms; 0 for none */
export function configuredResolver(resolver: Resolver, timeout: number): HostResolver {
  return {
    addresses: (name, signal) =>
      isLocalhost(name)
        ? Promise.resolve(resolver.loopback)
        : resolver.forward(name, { timeout, signal }),
  };
}
