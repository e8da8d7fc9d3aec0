/** TLS: the `ssl_*` directives, what those of TLS as a client share with them, and what they come to. */
export type { TlsUser } from "./certificates.ts";
export { type ClientTlsValues, NOTHING_SAID } from "./client.ts";
export { match } from "./choice.ts";
export type { Certified } from "./certified.ts";
export { expiring, expiryWarnings } from "./expiry.ts";
export type { KeyMaterials, News, Shown } from "./key-material.ts";
export type { KeyPair } from "./key-pairs.ts";
export { type Judged, failed } from "./openssl-words.ts";
export { TlsReader } from "./reader.ts";
export type {
  ClientCertificates,
  ClientTlsSettings,
  TlsParameters,
  TlsSettings,
} from "./settings.ts";
export { ciphers, commands, file, passwords, protocols } from "./shared-rows.ts";
export { type PlaceOf, security, ssl } from "./ssl.ts";
