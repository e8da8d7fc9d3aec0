/** `ssl_verify_client` and the directives that belong to it. */
import { ConfigError } from "../language/error.ts";
import { type NamedFile, namedFile } from "./named-file.ts";
import type { ClientCertificateSettings } from "./settings.ts";
import type { PlaceOf, TlsValues } from "./ssl.ts";

/** @throws ConfigError where clients must be verified and no authority is named */
export function clientCertificates(
  values: TlsValues,
  directory: string,
  placeOf: PlaceOf,
): ClientCertificateSettings {
  const { ssl_verify_client: mode, ssl_verify_depth: depth, ssl_crl: crl } = values;
  const { ssl_client_certificate: client, ssl_trusted_certificate: trusted } = values;
  if ((mode === "on" || mode === "optional") && client === null && trusted === null) {
    const what = "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client";
    throw new ConfigError(what, placeOf("ssl_verify_client"));
  }
  const file = (argument: string | null, directive: string): NamedFile | null =>
    argument === null ? null : namedFile(argument, directory, placeOf(directive));
  const authorities = [
    file(client, "ssl_client_certificate"),
    file(trusted, "ssl_trusted_certificate"),
  ].filter((each) => each !== null);
  return { mode, depth, authorities, crl: file(crl, "ssl_crl") };
}
