/** Settings with addresses where the file has names: what nginx looks up once, at its start. */
import { resolveAccessLog } from "./access-log.ts";
import { resolveErrorLogs } from "./error-log.ts";
import type { Findings } from "./findings.ts";
import { type Hosts, lookUp } from "./name-lookup.ts";
import { resolveNetworks } from "./realip.ts";
import type { ServerSettings, Settings } from "./settings.ts";

/**
 * The name in `auth_http` stays, and is looked up for each connection again: an endpoint may move.
 *
 * @throws ConfigError for a name that has no address, an endpoint's included
 */
export async function resolveAddresses(
  settings: Settings,
  names: Findings["hosts"],
): Promise<Settings> {
  if (names.length === 0) return settings;
  const hosts = await lookUp(names);
  const { error_log, servers } = settings;
  return {
    ...settings,
    error_log: resolveErrorLogs(error_log, hosts),
    servers: servers.map((server) => resolveServer(server, hosts)),
  };
}

function resolveServer(server: ServerSettings, hosts: Hosts): ServerSettings {
  const { error_log, access_log, set_real_ip_from } = server;
  return {
    ...server,
    error_log: resolveErrorLogs(error_log, hosts),
    access_log: resolveAccessLog(access_log, hosts),
    set_real_ip_from: resolveNetworks(set_real_ip_from, hosts),
  };
}
