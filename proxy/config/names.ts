/** Names in `listen`: nginx resolves them once, at the start, and binds every address that they have. */
import { lookup } from "node:dns/promises";
import { formatAddress } from "../../shared/address.ts";
import { ConfigError } from "./error.ts";
import type { Listen } from "./listen.ts";
import type { ServerSettings, Settings } from "./settings.ts";

/** @throws ConfigError for a name that has no address */
export async function resolveNames(settings: Settings): Promise<Settings> {
  return { ...settings, servers: await Promise.all(settings.servers.map(resolveServer)) };
}

async function resolveServer(server: ServerSettings): Promise<ServerSettings> {
  const named = server.listen.some(({ host }) => !isAddress(host));
  if (!named) return server;
  const listen = await Promise.all(server.listen.map((one) => resolveListen(one, server)));
  return { ...server, listen: listen.flat() };
}

async function resolveListen(
  listen: Listen,
  { place }: ServerSettings,
): Promise<readonly Listen[]> {
  if (isAddress(listen.host)) return [listen];
  try {
    const found = await lookup(listen.host, { all: true });
    const addresses = new Set(found.map(({ address }) => address));
    return [...addresses].map((host) => ({ ...listen, host }));
  } catch {
    throw new ConfigError(
      `host not found in "${formatAddress(listen)}" of the "listen" directive`,
      place,
    );
  }
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^[\d.]+$/.test(host);
}
