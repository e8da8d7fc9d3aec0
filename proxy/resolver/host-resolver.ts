/** The addresses of names, whoever knows them. */
import { lookup } from "node:dns/promises";
import { NXDOMAIN, ResolveError, SERVFAIL } from "./resolve-error.ts";
import type { Resolver } from "./resolver.ts";
import { SingleFlight } from "../single-flight.ts";

export interface HostResolver {
  /**
   * @returns one or more
   * @throws ResolveError where the name has none, or nobody can tell; the signal's reason once it gives up
   */
  addresses(name: string, signal: AbortSignal): Promise<readonly string[]>;
}

/** The system's resolver; who asks for what is being asked already shares the answer. */
export class SystemResolver implements HostResolver {
  readonly #asked = new SingleFlight<readonly string[]>();

  addresses(name: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#asked.join(name, signal, async () => {
      try {
        const found = await lookup(name, { all: true, order: "verbatim" });
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
  return { addresses: (name, signal) => resolver.forward(name, { timeout, signal }) };
}
