/** Replaces the names in settings by their addresses, which nginx looks up once, at its start. */
import type { HostName } from "./language/diagnostics.ts";
import { type Hosts, lookUp } from "./language/hosts/lookup.ts";
import { resolveAccessLogs } from "./modules/log/access-log.ts";
import { resolveErrorLogs } from "./modules/log/error-log.ts";
import { refuseClashes, resolveListens } from "./modules/mail/listen.ts";
import { resolveNetworks } from "./modules/mail/realip.ts";
import { resolveNameServers } from "./modules/mail/resolver.ts";
import { resolveStatus } from "./modules/mail/status.ts";
import type { ServerSettings, Settings } from "./settings.ts";

/**
 * The name in `auth_http` stays and is looked up again for each connection, since an endpoint may move.
 *
 * @throws ConfigError for a name without an address, or for an address that two directives listen on
 */
export async function resolveAddresses(
  settings: Settings,
  names: readonly HostName[],
): Promise<Settings> {
  if (names.length === 0) return settings;
  const hosts = await lookUp(names);
  const resolved = {
    ...settings,
    error_log: resolveErrorLogs(settings.error_log, hosts),
    status_listen: resolveStatus(settings.status_listen, hosts),
    servers: settings.servers.map((server) => resolveServer(server, hosts)),
  };
  refuseClashingListens(resolved);
  return resolved;
}

/** @throws ConfigError for an address and port that two directives listen on */
export function refuseClashingListens({
  servers,
  relay,
  status_listen,
}: Pick<Settings, "servers" | "relay" | "status_listen">): void {
  const others = [relay?.listen, status_listen].filter((one) => one !== undefined && one !== null);
  refuseClashes([...servers.flatMap(({ listen }) => listen), ...others]);
}

function resolveServer(server: ServerSettings, hosts: Hosts): ServerSettings {
  const { listen, error_log, access_log, resolver, set_real_ip_from } = server;
  return {
    ...server,
    listen: resolveListens(listen, hosts),
    error_log: resolveErrorLogs(error_log, hosts),
    access_log: resolveAccessLogs(access_log, hosts),
    resolver: resolveNameServers(resolver, hosts),
    set_real_ip_from: resolveNetworks(set_real_ip_from, hosts),
  };
}
