/** Reads the configuration and the certificates that it names, and has OpenSSL check its TLS. */
import { checkTls } from "../certificates/check.ts";
import type { LoadedSettings } from "../certificates/index.ts";
import { loadCertificates } from "../certificates/load.ts";
import type { CommandLine } from "./command-line.ts";
import { type Configuration, readConfiguration, resolveAddresses } from "../config/index.ts";
import { inSlices } from "../slices.ts";

interface LoadedConfiguration {
  readonly settings: LoadedSettings;
  /** Every file of the language that was read, in order. */
  readonly files: Configuration["files"];
}

/**
 * @param before the settings in force; only certificate files that have changed are read again
 * @throws ConfigError
 */
export async function readSettings(
  line: CommandLine,
  before?: LoadedSettings,
): Promise<LoadedConfiguration> {
  const configuration = readConfiguration(line);
  const steps = loadCertificates(configuration, before?.certificates ?? null);
  const loaded = await inSlices(steps);
  const resolved = await resolveAddresses(loaded, configuration.names);
  const settings = { ...loaded, ...resolved, warnings: [...line.warnings, ...resolved.warnings] };
  checkTls(configuration.tls, settings.certificates);
  return { files: configuration.files, settings };
}
