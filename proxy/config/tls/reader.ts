/** What a server's `ssl_*` directives come to. Servers that say the same share one result, and its files. */
import { readClientCertificates } from "./client-certificates.ts";
import type { Findings } from "../findings.ts";
import { type TlsUser, readKeyPairs } from "./certificates.ts";
import { type ClientTlsValues, readClientTls } from "./client.ts";
import type { Draft } from "./commands.ts";
import type { Place } from "../error.ts";
import { BIT } from "./options.ts";
import { type PlaceOf, type TlsValues, stores } from "./ssl.ts";
import { TlsFiles } from "./files.ts";
import { readTicketKey } from "./ticket-keys.ts";
import { optionsFor, settled } from "./parameters.ts";
import { cipherList, curveList } from "./shared-rows.ts";
import type { Judged } from "./openssl-words.ts";
import type { ClientTlsSettings, TlsSettings } from "./settings.ts";

export class TlsReader {
  readonly #files: TlsFiles;
  readonly #findings: Findings;
  readonly #made = new Map<string, TlsSettings>();
  readonly #madeAsClient = new Map<string, ClientTlsSettings>();

  /** @param directory of the main configuration file */
  constructor(directory: string, findings: Findings) {
    this.#files = new TlsFiles(directory);
    this.#findings = findings;
  }

  /** @throws ConfigError for a file or a value that cannot be used */
  read(values: TlsValues, user: TlsUser, placeOf: PlaceOf): TlsSettings {
    return this.#made.getOrInsertComputed(wording(values), () => this.#make(values, user, placeOf));
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

  #make(values: TlsValues, user: TlsUser, placeOf: PlaceOf): TlsSettings {
    const { ssl_ciphers: ciphers, ssl_ecdh_curve: curves } = values;
    const draft: Draft = {
      pairs: readKeyPairs(values, user, this.#files, placeOf),
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
    return {
      ...settled(draft, commands, this.#files, passwords, placeOf("ssl_conf_command")),
      certificateCompression: values.ssl_certificate_compression,
      sessionTimeout: values.ssl_session_timeout,
      ticketKeys: this.#ticketKeys(values, placeOf),
      clients,
    };
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

  #ticketKeys(values: TlsValues, placeOf: PlaceOf): readonly Uint8Array[] {
    const place = placeOf("ssl_session_ticket_key");
    const keys = values.ssl_session_ticket_key.map((given) => {
      return readTicketKey(this.#files.name(given), place);
    });
    if (keys.some(({ derived }) => derived)) {
      const what =
        '"ssl_session_ticket_key" of 80 bytes encrypts with AES-128, which is all Node has';
      this.#findings.note(what, place);
    }
    return keys.map(({ key }) => key);
  }
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
