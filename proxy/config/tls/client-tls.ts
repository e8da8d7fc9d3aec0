/** TLS as a client, from the directives of any family. */
import { ConfigError, type Place } from "../language/error.ts";
import type { ConfCommand } from "./commands.ts";
import {
  type NamedFile,
  type NamedPair,
  namedFile,
  namedKey,
  shownArgument,
} from "./named-file.ts";
import type { OpensslValue } from "./openssl-value.ts";
import { type FileArgument, USUAL_PROTOCOLS, cipherList, curveList } from "./rows.ts";
import type { ClientTlsSettings } from "./settings.ts";
import { applyCommands, bitsFor } from "./tls-options.ts";

export interface ClientTlsValues {
  /** The directives by their common name: `proxy_ssl_*`. */
  readonly directives: string;
  /** The server as errors name it; null for no name. */
  readonly peer: string | null;
  readonly verify: boolean;
  readonly trusted: FileArgument | null;
  readonly crl: FileArgument | null;
  readonly certificate: FileArgument | null;
  readonly certificateKey: FileArgument | null;
  readonly passwords: readonly string[];
  readonly protocols: readonly string[];
  readonly ciphers: OpensslValue | null;
  readonly commands: readonly ConfCommand[];
  readonly serverName: boolean;
  readonly sessionReuse: boolean;
}

/** The values that no directive sets. */
export const CLIENT_TLS_DEFAULTS: Omit<ClientTlsValues, "directives"> = {
  peer: null,
  verify: true,
  trusted: null,
  crl: null,
  certificate: null,
  certificateKey: null,
  passwords: [],
  protocols: USUAL_PROTOCOLS,
  ciphers: null,
  commands: [],
  serverName: true,
  sessionReuse: true,
};

/**
 * @param directory of the main configuration file
 * @param place of the server's block
 * @throws ConfigError for a value that cannot be used
 */
export function clientTlsSettings(
  values: ClientTlsValues,
  directory: string,
  place: Place,
): ClientTlsSettings {
  const { directives, peer, verify, passwords, serverName, sessionReuse } = values;
  const file = (argument: FileArgument | null): NamedFile | null =>
    argument === null ? null : namedFile(argument.argument, directory, argument.place);
  const options = {
    ciphers: values.ciphers ?? cipherList("DEFAULT", place),
    groups: curveList("auto", place),
    dhparam: null,
    bits: bitsFor(values.protocols),
  };
  const commandsPlace = values.commands.at(-1)?.place ?? place;
  return {
    place,
    directives,
    options: applyCommands(options, values.commands, directory, commandsPlace),
    pair: pair(values, directory),
    passwords,
    verify,
    trusted: file(values.trusted),
    crl: file(values.crl),
    serverName,
    sessionReuse,
    peer,
  };
}

function pair(
  { certificate, certificateKey: key }: ClientTlsValues,
  directory: string,
): NamedPair | null {
  if (certificate === null) return null;
  const { argument, directive, place } = certificate;
  if (key === null) {
    const shown = shownArgument(argument);
    throw new ConfigError(`no "${directive}_key" is defined for certificate "${shown}"`, place);
  }
  return {
    certificate: namedFile(argument, directory, place),
    key: namedKey(key.argument, directory, key.place),
  };
}
