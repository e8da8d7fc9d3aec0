/** What a server's `ssl_*` directives come to. Servers that say the same share one result, and its files. */
import { readClientCertificates } from "./client-certificates.ts";
import type { Findings } from "../findings.ts";
import { type TlsUser, readKeyPairs } from "./certificates.ts";
import { type Draft, apply } from "./commands.ts";
import { BIT } from "./options.ts";
import { type PlaceOf, type TlsValues, stores } from "./ssl.ts";
import { TlsFiles } from "./files.ts";
import { readTicketKey } from "./ticket-keys.ts";
import {
  type Judged,
  NO_VERSION,
  TLS_VERSIONS,
  type TlsSettings,
  type TlsVersion,
} from "./settings.ts";

/** nginx sets these whatever the configuration says. */
const ALWAYS = [BIT.NO_RENEGOTIATION, BIT.NO_ANTI_REPLAY, BIT.IGNORE_UNEXPECTED_EOF];

export class TlsReader {
  readonly #files: TlsFiles;
  readonly #findings: Findings;
  readonly #made = new Map<string, TlsSettings>();

  /** @param directory of the main configuration file */
  constructor(directory: string, findings: Findings) {
    this.#files = new TlsFiles(directory);
    this.#findings = findings;
  }

  /** @throws ConfigError for a file or a value that cannot be used */
  read(values: TlsValues, user: TlsUser, placeOf: PlaceOf): TlsSettings {
    const said = JSON.stringify(values, (name, value: unknown) =>
      name === "place" ? undefined : value,
    );
    const made = this.#made.get(said) ?? this.#make(values, user, placeOf);
    this.#made.set(said, made);
    return made;
  }

  #make(values: TlsValues, user: TlsUser, placeOf: PlaceOf): TlsSettings {
    const { ssl_ciphers: ciphers, ssl_ecdh_curve: curves } = values;
    const draft: Draft = {
      pairs: readKeyPairs(values, user, this.#files, placeOf),
      ciphers: judged(ciphers, `SSL_CTX_set_cipher_list("${ciphers}")`, "ssl_ciphers", placeOf),
      ciphersuites: null,
      groups: judged(curves, `SSL_CTX_set1_curves_list("${curves}")`, "ssl_ecdh_curve", placeOf),
      signatureAlgorithms: null,
      dhparam: this.#dhparam(values, placeOf),
      options: options(values),
      oldest: null,
      newest: null,
    };
    const clients = readClientCertificates(values, this.#files, placeOf);
    for (const command of values.ssl_conf_command) {
      apply(draft, command, this.#files, values.ssl_password_file);
    }
    const { pairs, oldest, newest, ...settled } = draft;
    for (const version of beyond(oldest, newest)) settled.options.add(NO_VERSION[version]);
    return {
      ...settled,
      keyPairs: pairs.list(placeOf("ssl_conf_command")),
      options: [...settled.options],
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

function judged(value: string, call: string, directive: string, placeOf: PlaceOf): Judged {
  return { value, call, place: placeOf(directive) };
}

function options(values: TlsValues): Set<number> {
  const set = new Set<number>(ALWAYS);
  for (const version of TLS_VERSIONS) {
    if (!values.ssl_protocols.includes(version.toLowerCase())) set.add(NO_VERSION[version]);
  }
  if (values.ssl_prefer_server_ciphers) set.add(BIT.CIPHER_SERVER_PREFERENCE);
  // Node resumes by tickets alone, so a cache that stores sessions needs them, too.
  const tickets = values.ssl_session_tickets || stores(values.ssl_session_cache);
  if (!tickets) set.add(BIT.NO_TICKET);
  return set;
}

/** The versions that are older or newer than those. */
function beyond(oldest: TlsVersion | null, newest: TlsVersion | null): readonly TlsVersion[] {
  const first = oldest === null ? 0 : TLS_VERSIONS.indexOf(oldest);
  const last = newest === null ? TLS_VERSIONS.length : TLS_VERSIONS.indexOf(newest);
  return TLS_VERSIONS.filter((_, index) => index < first || index > last);
}
