/** Names that stand for addresses: nginx looks them up once, when it reads them. */
import { lookup } from "node:dns/promises";
import { ConfigError } from "./error.ts";
import type { Diagnostics } from "./diagnostics.ts";

/** The addresses of names. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** @throws ConfigError for the first name that has no address */
export async function lookUp(names: Diagnostics["hosts"]): Promise<Hosts> {
  const distinct = [...new Set(names.map(({ host }) => host))];
  const found = new Map(
    await Promise.all(distinct.map(async (host) => [host, await addressesOf(host)] as const)),
  );
  const missing = names.find(({ host }) => found.get(host)?.length === 0);
  if (missing !== undefined) throw new ConfigError(missing.mistake);
  return found;
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch {
    return [];
  }
}
