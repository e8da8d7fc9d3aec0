/** What a server's `ssl_*` directives come to. Servers that say the same share one result, and its files. */
import type { Steps } from "../../slices.ts";
import { readClientCertificates } from "./client-certificates.ts";
import type { Diagnostics } from "../language/diagnostics.ts";
import { CertificateReader, type TlsUser } from "../../certificates/sources/named-sources.ts";
import { certified } from "../../certificates/files/certificate.ts";
import { choose } from "../../certificates/sni.ts";
import { type ClientTlsValues, readClientTls } from "./client.ts";
import { type Draft, changesPairs } from "./commands.ts";
import { ConfigError, type Place } from "../language/error.ts";
import { BIT } from "./options.ts";
import { type PlaceOf, type TlsValues, stores } from "./ssl.ts";
import { TlsFiles, chainIn, keyIn } from "../../certificates/files/tls-files.ts";
import { KeyMaterial, KeyMaterials } from "../../certificates/store.ts";
import { type KeyPair, KeyPairs } from "../../certificates/files/key-pairs.ts";
import { TicketKeyFiles } from "../../certificates/sources/ticket-key-files.ts";
import { optionsFor, settled } from "./parameters.ts";
import { cipherList, curveList } from "./shared-rows.ts";
import type { Judged } from "./openssl-errors.ts";
import type { ClientTlsSettings, TlsSettings } from "./settings.ts";
import type { Source } from "../../certificates/sources/source.ts";

export class TlsReader {
  readonly keyMaterials: KeyMaterials;
  readonly #files: TlsFiles;
  readonly #certificates: CertificateReader;
  readonly #diagnostics: Diagnostics;
  readonly #made = new Map<string, TlsSettings>();
  readonly #madeAsClient = new Map<string, ClientTlsSettings>();

  /**
   * @param directory of the main configuration file
   * @param before of the configuration in force
   */
  constructor(directory: string, diagnostics: Diagnostics, before: KeyMaterials | null) {
    this.#files = new TlsFiles(directory);
    this.#diagnostics = diagnostics;
    this.#certificates = new CertificateReader(this.#files, diagnostics, before?.named ?? null);
    this.keyMaterials = new KeyMaterials(this.#certificates.named);
  }

  /**
   * @param serverName whose certificate of a directory is the default
   * @throws ConfigError for a file or a value that cannot be used
   */
  *read(
    values: TlsValues,
    user: TlsUser,
    placeOf: PlaceOf,
    serverName: string,
  ): Steps<TlsSettings> {
    const name = values.ssl_certificate.length > 0 ? "" : serverName;
    const said = wording({ ...values, name });
    const made = this.#made.get(said) ?? (yield* this.#make(values, user, placeOf, name));
    this.#made.set(said, made);
    return made;
  }

  /**
   * TLS as a client.
   *
   * @param place of the server's block
   * @throws ConfigError likewise
   */
  readAsClient(values: ClientTlsValues, place: Place): ClientTlsSettings {
    return this.#madeAsClient.getOrInsertComputed(wording(values), () =>
      readClientTls(values, this.#files, place),
    );
  }

  *#make(
    values: TlsValues,
    user: TlsUser,
    placeOf: PlaceOf,
    serverName: string,
  ): Steps<TlsSettings> {
    const { ssl_ciphers: ciphers, ssl_ecdh_curve: curves } = values;
    const own = this.#certificates.own(values, user, placeOf);
    this.#mindOrder(own, placeOf);
    const found = yield* this.#certificates.found(values, placeOf);
    const draft: Draft = {
      pairs: this.#standard(own, found, serverName, placeOf),
      ciphers: cipherList(ciphers, placeOf("ssl_ciphers")),
      ciphersuites: null,
      groups: curveList(curves, placeOf("ssl_ecdh_curve")),
      signatureAlgorithms: null,
      dhparam: this.#dhparam(values, placeOf),
      options: options(values),
      oldest: null,
      newest: null,
    };
    const clients = readClientCertificates(values, this.#files, placeOf);
    const { ssl_conf_command: commands, ssl_password_file: passwords } = values;
    const place = placeOf("ssl_conf_command");
    const parameters = settled(draft, commands, this.#files, passwords, place);
    const ticketKeys = this.#ticketKeys(values, placeOf);
    // With many, it takes a while to find out whom each is for: `#standard` has, and so does this.
    yield;
    const material = new KeyMaterial({
      own: changesPairs(commands) ? [fixed(parameters.keyPairs, place)] : own,
      found,
      ticketKeys,
      serverName,
    });
    return {
      ...parameters,
      certificateCompression: values.ssl_certificate_compression,
      sessionTimeout: values.ssl_session_timeout,
      keyMaterial: this.keyMaterials.add(material),
      ticketKeys: ticketKeys.keys,
      clients,
    };
  }

  /** @throws ConfigError where there is no certificate */
  #standard(
    own: readonly Source[],
    found: readonly Source[],
    serverName: string,
    placeOf: PlaceOf,
  ): KeyPairs {
    const [mine, others] = [own, found].map((all) => all.flatMap((one) => one.certified));
    const { standard } = choose(mine ?? [], others ?? [], serverName);
    const place = placeOf("ssl_certificate_dir");
    if (standard.length === 0)
      throw new ConfigError('no certificate in "ssl_certificate_dir"', place);
    const pairs = new KeyPairs();
    for (const { certificate, key, file } of standard) {
      pairs.add(chainIn(certificate, file, place), keyIn(key, file, [], place), place);
    }
    return pairs;
  }

  #mindOrder(own: readonly Source[], placeOf: PlaceOf): void {
    const types = own.flatMap(({ certified: [one] }) => one?.keyType ?? []);
    if (new Set(types).size === types.length) return;
    const what =
      '"ssl_certificate" of several with keys of one type shows the first, where nginx shows the last; the ' +
      "others are for clients that name their hosts";
    this.#diagnostics.note(what, placeOf("ssl_certificate"));
  }

  #dhparam({ ssl_dhparam: given }: TlsValues, placeOf: PlaceOf): Judged | null {
    if (given === null) return null;
    const name = this.#files.name(given);
    const read = `PEM_read_bio_DHparams("${name}")`;
    const place = placeOf("ssl_dhparam");
    return {
      value: this.#files.dhparam(given, `BIO_new_file("${name}")`, read, place),
      call: read,
      place,
    };
  }

  #ticketKeys(values: TlsValues, placeOf: PlaceOf): TicketKeyFiles {
    const place = placeOf("ssl_session_ticket_key");
    const paths = values.ssl_session_ticket_key.map((given) => this.#files.name(given));
    const keys = new TicketKeyFiles(paths, place);
    if (keys.derived) {
      const what =
        '"ssl_session_ticket_key" of 80 bytes encrypts with AES-128, which is all Node has';
      this.#diagnostics.note(what, place);
    }
    return keys;
  }
}

/** What commands have put together is not looked at again. */
function fixed(pairs: readonly KeyPair[], place: Place): Source {
  const all = pairs.map(({ certificate, key }) =>
    certified(chainIn(certificate, "ssl_conf_command", place), keyIn(key, "", [], place)),
  );
  return { certified: all, look: () => [] };
}

/** What directives say, wherever they stand. */
function wording(values: object): string {
  return JSON.stringify(values, (name, value: unknown) => (name === "place" ? undefined : value));
}

function options(values: TlsValues): Set<number> {
  const set = optionsFor(values.ssl_protocols);
  if (values.ssl_prefer_server_ciphers) set.add(BIT.CIPHER_SERVER_PREFERENCE);
  // Node resumes by tickets alone, so a cache that stores sessions needs them, too.
  const tickets = values.ssl_session_tickets || stores(values.ssl_session_cache);
  if (!tickets) set.add(BIT.NO_TICKET);
  return set;
}
