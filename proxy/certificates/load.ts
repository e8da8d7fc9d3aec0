/** Loads the files that the TLS settings of a configuration name. */
import {
  type ClientTlsSettings,
  ConfigError,
  type Configuration,
  type Place,
  type ServerTlsSettings,
  type TlsOptions,
  formatPlace,
} from "../config/index.ts";
import type { Steps } from "../slices.ts";
import type {
  ClientCertificateOptions,
  ClientTlsOptions,
  KeyPair,
  ServerTlsOptions,
  TlsParameters,
} from "../transport/index.ts";
import { expiringSoon, expiryWarnings } from "./expiry.ts";
import { serverCertificate } from "./files/certificate.ts";
import { KeyPairs } from "./files/key-pairs.ts";
import { TlsFiles, parseChain, parseKey } from "./files/tls-files.ts";
import { sniTable } from "./sni.ts";
import type { PollReport } from "./sources/file-change.ts";
import { NamedSources } from "./sources/named-sources.ts";
import type { Source } from "./sources/source.ts";
import { TicketKeyFiles } from "./sources/ticket-key-files.ts";
import { CertificateSet, CertificateStore, type LoadedSettings, certificatesOf } from "./store.ts";

/**
 * Goes in steps, since there may be many certificates.
 *
 * @param before the store of the configuration in force; only files that have changed are read again
 * @throws ConfigError for a file that cannot be used
 */
export function* loadCertificates(
  { settings, tls }: Configuration,
  before: CertificateStore | null,
): Steps<LoadedSettings> {
  const files = new TlsFiles();
  const loader = new Loader(files, new NamedSources(files, before?.sources ?? null));
  const sets: CertificateSet[] = [];
  for (const server of tls.servers) sets.push(yield* loader.server(server));
  const clients = tls.clients.map((client) => clientOptions(client, files));
  const { files: pairs, directories } = loader.sources;
  const certificates = new CertificateStore({ files: pairs, directories }, sets, clients);
  const expiry = expiryWarnings(expiringSoon(certificates.certificates));
  return {
    ...settings,
    certificates,
    warnings: [...settings.warnings, ...loader.warnings, ...expiry],
    notices: [...settings.notices, ...loader.notices],
  };
}

class Loader {
  readonly sources: NamedSources;
  readonly warnings: string[] = [];
  readonly notices: string[] = [];
  readonly #files: TlsFiles;

  constructor(files: TlsFiles, sources: NamedSources) {
    this.#files = files;
    this.sources = sources;
  }

  *server(settings: ServerTlsSettings): Steps<CertificateSet> {
    const { pairs, directory, passwords, serverName, options } = settings;
    const own = pairs.map((pair) => this.sources.file(pair, passwords));
    this.#noteOrder(own, settings);
    const found: Source[] = [];
    if (directory !== null) {
      const report: PollReport = { changed: false, unsettled: false, errors: [] };
      found.push(yield* this.sources.directory(directory, passwords, report));
      this.warnings.push(...report.errors);
      if (certificatesOf([...own, ...found]).length === 0) {
        throw new ConfigError('no certificate in "ssl_certificate_dir"', directory.place);
      }
    }
    const serverOptions: ServerTlsOptions = {
      ...tlsParameters(options, this.#files),
      certificateCompression: settings.certificateCompression,
      sessionTimeout: settings.sessionTimeout,
      clients: this.#clients(settings),
    };
    const replaced = this.#replaced(own, found, settings);
    const ticketKeys = this.#ticketKeys(settings);
    const sources = { own: replaced ?? own, found, ticketKeys, serverName };
    return new CertificateSet(serverOptions, sources);
  }

  /**
   * Carries out `Certificate` and `PrivateKey` commands.
   *
   * @returns null without such commands. The files of commands are not polled.
   * @throws ConfigError for a certificate without its key
   */
  #replaced(
    own: readonly Source[],
    found: readonly Source[],
    settings: ServerTlsSettings,
  ): readonly Source[] | null {
    const { list, place } = settings.options.pairCommands;
    if (list.length === 0) return null;
    const table = sniTable(certificatesOf(own), certificatesOf(found), settings.serverName);
    const pairs = new KeyPairs();
    for (const { certificate, key, file } of table.default) {
      pairs.add(parseChain(certificate, file, place), parseKey(key, file, [], place), place);
    }
    const certificates = commandPairs(pairs, settings, this.#files).map(({ certificate, key }) =>
      serverCertificate(
        parseChain(certificate, "ssl_conf_command", place),
        parseKey(key, "", [], place),
      ),
    );
    return [{ certificates, poll: () => [] }];
  }

  /** nginx reads the files even if clients are not asked for certificates. */
  #clients({
    clients: { mode, depth, authorities, crl },
  }: ServerTlsSettings): ClientCertificateOptions | null {
    const certificates = authorities.flatMap((file) => this.#files.chain(file).certificates);
    const revocations = crl === null ? null : this.#files.revocations(crl);
    return mode === "off" ? null : { mode, depth, authorities: certificates, revocations };
  }

  #noteOrder(own: readonly Source[], { pairs }: ServerTlsSettings): void {
    const last = pairs.at(-1);
    const types = certificatesOf(own).map(({ keyType }) => keyType);
    if (last === undefined || new Set(types).size === types.length) return;
    const what =
      '"ssl_certificate" shows the first of several certificates with one type of key, where nginx shows the last; ' +
      "the others are for clients that ask for their names";
    this.#note(what, last.certificate.place);
  }

  #ticketKeys({ ticketKeys: files }: ServerTlsSettings): TicketKeyFiles {
    const keys = new TicketKeyFiles(files);
    const [first] = files;
    if (first !== undefined && keys.derived) {
      const what =
        '"ssl_session_ticket_key" of 80 bytes encrypts with AES-128, since Node has no AES-256 for tickets';
      this.#note(what, first.place);
    }
    return keys;
  }

  #note(what: string, place: Place): void {
    this.notices.push(`${what} in ${formatPlace(place)}`);
  }
}

function tlsParameters(options: TlsOptions, files: TlsFiles): TlsParameters {
  const { ciphers, ciphersuites, groups, signatureAlgorithms, dhparam, bits } = options;
  return {
    ciphers: ciphers.value,
    ciphersuites: ciphersuites?.value ?? null,
    groups: groups.value,
    signatureAlgorithms: signatureAlgorithms?.value ?? null,
    dhparam: dhparam === null ? null : files.dhparam(dhparam),
    bits,
  };
}

/** @throws ConfigError for a certificate without its key */
function commandPairs(
  pairs: KeyPairs,
  { options, passwords }: ServerTlsSettings | ClientTlsSettings,
  files: TlsFiles,
): readonly KeyPair[] {
  const { list, place } = options.pairCommands;
  for (const command of list) {
    const { kind, file } = command;
    if (kind === "certificate") pairs.certificate(files.chain(file));
    else pairs.key(files.key(file, passwords), command.call, file.place);
  }
  return pairs.list(place);
}

function clientOptions(settings: ClientTlsSettings, files: TlsFiles): ClientTlsOptions {
  const { pair, passwords, verify, trusted, crl, serverName, sessionReuse, peer } = settings;
  const pairs = new KeyPairs();
  if (pair !== null) {
    pairs.add(files.chain(pair.certificate), files.key(pair.key, passwords), pair.key.place);
  }
  return {
    verify,
    trusted: trusted === null ? null : files.chain(trusted).certificates.join(""),
    parameters: tlsParameters(settings.options, files),
    keyPairs: commandPairs(pairs, settings, files),
    revocations: crl === null ? null : files.revocations(crl),
    serverName,
    sessionReuse,
    ...(peer === null ? {} : { peer }),
  };
}
