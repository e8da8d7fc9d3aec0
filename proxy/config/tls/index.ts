/** TLS: the `ssl_*` directives, and the parts that the directives of TLS as a client share with them. */
export { CLIENT_TLS_DEFAULTS, type ClientTlsValues } from "./client-tls.ts";
export type { NamedFile, NamedPair } from "./named-file.ts";
export { opensslError } from "./openssl-value.ts";
export { TlsReader } from "./reader.ts";
export { ciphers, commands, file, passwords, protocols } from "./rows.ts";
export type { TlsUser } from "./server-tls.ts";
export type {
  CertificateDirectorySettings,
  ClientCertificateMode,
  ClientTlsSettings,
  DhparamFile,
  ServerTlsReference,
  ServerTlsSettings,
  TlsOptions,
  TlsSettings,
} from "./settings.ts";
export { type PlaceOf, security, ssl } from "./ssl.ts";
