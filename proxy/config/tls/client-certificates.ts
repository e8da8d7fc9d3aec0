/** What is asked of clients' certificates (`ssl_verify_client` and what belongs to it). */
import { ConfigError } from "../language/error.ts";
import type { PlaceOf, TlsValues } from "./ssl.ts";
import type { TlsFiles } from "../../certificates/files/tls-files.ts";
import type { ClientCertificates } from "./settings.ts";

/**
 * The files are read even where no certificate is asked for, as nginx reads them.
 *
 * @returns null where none is
 * @throws ConfigError
 */
export function readClientCertificates(
  values: TlsValues,
  files: TlsFiles,
  placeOf: PlaceOf,
): ClientCertificates | null {
  const { ssl_verify_client: mode, ssl_verify_depth: depth, ssl_crl: crl } = values;
  const { ssl_client_certificate: client, ssl_trusted_certificate: trusted } = values;
  if ((mode === "on" || mode === "optional") && client === null && trusted === null) {
    const what = "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client";
    throw new ConfigError(what, placeOf("ssl_verify_client"));
  }
  const certificates = (given: string | null, directive: string): readonly string[] =>
    given === null ? [] : files.chain(given, placeOf(directive)).certificates;
  const authorities = [
    ...certificates(client, "ssl_client_certificate"),
    ...certificates(trusted, "ssl_trusted_certificate"),
  ];
  const revocations = crl === null ? null : files.revocations(crl, placeOf("ssl_crl"));
  return mode === "off" ? null : { mode, depth, authorities, revocations };
}
