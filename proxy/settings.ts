/** Reads the configuration, and has OpenSSL accept what its directives say of TLS. */
import { TlsContexts } from "./certificates/contexts.ts";
import type { CommandLine } from "./command-line.ts";
import {
  ConfigError,
  type Configuration,
  type ServerSettings,
  type Settings,
  rereadConfiguration,
  resolveAddresses,
} from "./config/index.ts";
import { reason } from "./reason.ts";
import { inSlices } from "./slices.ts";
import { ClientTlsContexts } from "./upstream/client-tls.ts";

/**
 * @param before the settings in force, whose certificates are kept where files have not changed
 * @throws ConfigError
 */
export async function readSettings(line: CommandLine, before?: Settings): Promise<Configuration> {
  const configuration = await inSlices(rereadConfiguration(line, before?.keyMaterials ?? null));
  const resolved = await resolveAddresses(configuration.settings, configuration.names);
  const settings = { ...resolved, warnings: [...line.warnings, ...resolved.warnings] };
  const tls = new TlsContexts([new Uint8Array(48)]);
  const clientTls = new ClientTlsContexts();
  for (const server of settings.servers) {
    const { proxyTls, lookupTls, place } = server;
    accepted("ssl_*", place, () => tls.of(server));
    accepted("proxy_ssl_*", place, () => clientTls.of(proxyTls).check());
    if (lookupTls !== null) {
      accepted("auth_http_ssl_*", place, () => clientTls.of(lookupTls).check());
    }
  }
  const { relay } = settings;
  if (relay !== null && relay.lookupTls !== null) {
    const { lookupTls, listen } = relay;
    accepted("auth_http_ssl_*", listen.place, () => clientTls.of(lookupTls).check());
  }
  return { ...configuration, settings };
}

/** @throws ConfigError where OpenSSL refuses what such directives say */
function accepted(directives: string, place: ServerSettings["place"], make: () => void): void {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`OpenSSL refuses the ${directives} directives (${reason(error)})`, place);
  }
}
