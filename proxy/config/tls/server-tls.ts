/** TLS towards clients, from the `ssl_*` directives. */
import { resolve } from "node:path";
import { ConfigError, type Place } from "../language/error.ts";
import { clientCertificates } from "./client-certificates.ts";
import { type NamedPair, namedFile, namedKey, shownArgument } from "./named-file.ts";
import { BIT } from "./option-bits.ts";
import { cipherList, curveList } from "./rows.ts";
import type { DhparamFile, ServerTlsSettings } from "./settings.ts";
import { type PlaceOf, type TlsValues, storesSessions } from "./ssl.ts";
import { applyCommands, bitsFor } from "./tls-options.ts";

/** The directive that makes a server speak TLS. */
export interface TlsUser {
  readonly name: "listen ... ssl" | "starttls";
  readonly place: Place;
  /** Place of the server's block. */
  readonly server: Place;
}

/**
 * @param serverName `server_name`, for the default certificate of a directory
 * @param directory of the main configuration file
 * @throws ConfigError for a value that cannot be used, or a certificate that is not named
 */
export function serverTlsSettings(
  values: TlsValues,
  user: TlsUser,
  serverName: string,
  directory: string,
  placeOf: PlaceOf,
): ServerTlsSettings {
  const pairs = namedPairs(values, user, directory, placeOf);
  const options = {
    ciphers: cipherList(values.ssl_ciphers, placeOf("ssl_ciphers")),
    groups: curveList(values.ssl_ecdh_curve, placeOf("ssl_ecdh_curve")),
    dhparam: dhparam(values, directory, placeOf),
    bits: bits(values),
  };
  const commandsPlace = placeOf("ssl_conf_command");
  const { ssl_certificate_dir: folder } = values;
  return {
    place: user.server,
    options: applyCommands(options, values.ssl_conf_command, directory, commandsPlace),
    pairs,
    directory:
      folder === null
        ? null
        : { path: resolve(directory, folder), place: placeOf("ssl_certificate_dir") },
    passwords: values.ssl_password_file,
    serverName,
    ticketKeys: values.ssl_session_ticket_key.map((argument) =>
      namedFile(argument, directory, placeOf("ssl_session_ticket_key")),
    ),
    clients: clientCertificates(values, directory, placeOf),
    certificateCompression: values.ssl_certificate_compression,
    sessionTimeout: values.ssl_session_timeout,
  };
}

/** `ssl_certificate` and `ssl_certificate_key`: the n-th belongs to the n-th. */
function namedPairs(
  values: TlsValues,
  user: TlsUser,
  directory: string,
  placeOf: PlaceOf,
): readonly NamedPair[] {
  const { ssl_certificate: certificates, ssl_certificate_key: keys } = values;
  const missing = (directive: string, owner = ""): ConfigError =>
    new ConfigError(
      `no "${directive}" is defined for ${owner}the "${user.name}" directive`,
      user.place,
    );
  const last = certificates.at(-1);
  if (last === undefined) {
    if (values.ssl_certificate_dir === null) throw missing("ssl_certificate");
    return [];
  }
  if (keys.length === 0) throw missing("ssl_certificate_key");
  if (keys.length < certificates.length) {
    throw missing("ssl_certificate_key", `certificate "${shownArgument(last)}" and `);
  }
  return certificates.map((certificate, index) => ({
    certificate: namedFile(certificate, directory, placeOf("ssl_certificate")),
    key: namedKey(keys[index] ?? "", directory, placeOf("ssl_certificate_key")),
  }));
}

function dhparam(
  { ssl_dhparam: argument }: TlsValues,
  directory: string,
  placeOf: PlaceOf,
): DhparamFile | null {
  if (argument === null) return null;
  const file = namedFile(argument, directory, placeOf("ssl_dhparam"));
  const open = `BIO_new_file("${file.name}")`;
  return { file, open, read: `PEM_read_bio_DHparams("${file.name}")` };
}

function bits(values: TlsValues): Set<number> {
  const set = bitsFor(values.ssl_protocols);
  if (values.ssl_prefer_server_ciphers) set.add(BIT.CIPHER_SERVER_PREFERENCE);
  // Node resumes sessions by tickets only, so a session cache needs tickets, too.
  const tickets = values.ssl_session_tickets || storesSessions(values.ssl_session_cache);
  if (!tickets) set.add(BIT.NO_TICKET);
  return set;
}
