/** The resolvers of a process: one for each `resolver` directive, shared by the servers that inherit it. */
import type { ResolverSettings } from "../config/index.ts";
import type { Transport } from "../transport/index.ts";
import { Resolver } from "./resolver.ts";

export class Resolvers {
  readonly #transport: Transport;
  readonly #bySettings = new Map<string, Resolver>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get(settings: ResolverSettings): Resolver {
    const key = JSON.stringify(settings);
    return this.#bySettings.getOrInsertComputed(key, () => new Resolver(this.#transport, settings));
  }
}
