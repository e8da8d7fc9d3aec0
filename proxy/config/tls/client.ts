/** TLS as a client, from what directives of any name say. */
import { ConfigError, type Place } from "../language/error.ts";
import type { ConfCommand } from "./commands.ts";
import { type TlsFiles, shownFile } from "../../certificates/files/tls-files.ts";
import { KeyPairs } from "../../certificates/files/key-pairs.ts";
import type { Judged } from "./openssl-errors.ts";
import { optionsFor, settled } from "./parameters.ts";
import type { ClientTlsSettings } from "./settings.ts";
import { type NamedFile, USUAL_PROTOCOLS, cipherList, curveList } from "./shared-rows.ts";

export interface ClientTlsValues {
  /** Who is at the other end; null where errors need not say it. */
  readonly peer: string | null;
  readonly verify: boolean;
  readonly trusted: NamedFile | null;
  readonly crl: NamedFile | null;
  readonly certificate: NamedFile | null;
  readonly certificateKey: NamedFile | null;
  readonly passwords: readonly string[];
  readonly protocols: readonly string[];
  readonly ciphers: Judged | null;
  readonly commands: readonly ConfCommand[];
  readonly serverName: boolean;
  readonly sessionReuse: boolean;
}

/** Where no directive says anything. */
export const NOTHING_SAID: ClientTlsValues = {
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
 * @param place of the server's block
 * @throws ConfigError for a file or a value that cannot be used
 */
export function readClientTls(
  values: ClientTlsValues,
  files: TlsFiles,
  place: Place,
): ClientTlsSettings {
  const { peer, verify, trusted, crl, serverName, sessionReuse } = values;
  const draft = {
    pairs: keyPairs(values, files),
    ciphers: values.ciphers ?? cipherList("DEFAULT", place),
    ciphersuites: null,
    groups: curveList("auto", place),
    signatureAlgorithms: null,
    dhparam: null,
    options: optionsFor(values.protocols),
    oldest: null,
    newest: null,
  };
  const commandsAt = values.commands.at(-1)?.place ?? place;
  return {
    verify,
    trusted:
      trusted === null ? null : files.chain(trusted.name, trusted.place).certificates.join(""),
    parameters: settled(draft, values.commands, files, values.passwords, commandsAt),
    revocations: crl === null ? null : files.revocations(crl.name, crl.place),
    serverName,
    sessionReuse,
    ...(peer === null ? {} : { peer }),
  };
}

/** The pair to show to a server that asks for one. */
function keyPairs(values: ClientTlsValues, files: TlsFiles): KeyPairs {
  const { certificate, certificateKey: key, passwords } = values;
  const pairs = new KeyPairs();
  if (certificate === null) return pairs;
  if (key === null) {
    const { name, directive, place } = certificate;
    const what = `no "${directive}_key" is defined for certificate "${shownFile(name)}"`;
    throw new ConfigError(what, place);
  }
  const chain = files.chain(certificate.name, certificate.place);
  pairs.add(chain, files.key(key.name, passwords, key.place), key.place);
  return pairs;
}
