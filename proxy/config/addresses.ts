/** Settings with addresses where the file has names: what nginx looks up once, at its start. */
import { resolveAccessLogs } from "./modules/log/access-log.ts";
import { resolveErrorLogs } from "./modules/log/error-log.ts";
import type { Findings } from "./language/diagnostics.ts";
import { refuseClashes, resolveListens } from "./modules/mail/listen.ts";
import { type Hosts, lookUp } from "./language/name-lookup.ts";
import { resolveNetworks } from "./modules/mail/realip.ts";
import { listensOf } from "./modules/auth-http/relay.ts";
import { resolveNameServers } from "./modules/mail/resolver.ts";
import type { ServerSettings, Settings } from "./settings.ts";
import { resolveStatus } from "./modules/mail/status.ts";

/**
 * The name in `auth_http` stays, and is looked up for each connection again: an endpoint may move.
 *
 * @throws ConfigError for a name that has no address, an endpoint's included, or one to listen on twice
 */
export async function resolveAddresses(
  settings: Settings,
  names: Findings["hosts"],
): Promise<Settings> {
  if (names.length === 0) return settings;
  const hosts = await lookUp(names);
  const servers = settings.servers.map((server) => resolveServer(server, hosts));
  const resolved = {
    ...settings,
    error_log: resolveErrorLogs(settings.error_log, hosts),
    status_listen: resolveStatus(settings.status_listen, hosts),
    servers,
  };
  refuseClashes(listensOf(resolved));
  return resolved;
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
