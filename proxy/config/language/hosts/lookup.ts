import { isLocalhost } from "../../../../shared/address.ts";
import type { HostName } from "../diagnostics.ts";
import { ConfigError } from "../error.ts";

/** The addresses of each name. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/**
 * Looks each name up once, as nginx does when it reads the file.
 *
 * @throws ConfigError for the first name that has no address
 */
export async function lookUp(names: readonly HostName[]): Promise<Hosts> {
  const distinct = [...new Set(names.map(({ host }) => host))];
  const found = new Map(
    await Promise.all(distinct.map(async (host) => [host, await addressesOf(host)] as const)),
  );
  const missing = names.find(({ host }) => found.get(host)?.length === 0);
  if (missing !== undefined) throw new ConfigError(missing.mistake);
  return found;
}

async function addressesOf(host: string): Promise<readonly string[]> {
  // Most configurations name addresses only and need no resolver.
  const { lookup } = await import("node:dns/promises");
  try {
    // The hosts file knows localhost, and glibc would ask DNS for the names below it.
    const found = await lookup(isLocalhost(host) ? "localhost" : host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch {
    return [];
  }
}
