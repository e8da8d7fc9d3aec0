/** TLS: the `ssl_*` directives, what those of TLS as a client share with them, and what they come to. */
export type { TlsUser } from "../../certificates/sources/named-sources.ts";
export { type ClientTlsValues, NOTHING_SAID } from "./client.ts";
export type { Certified } from "../../certificates/files/certificate.ts";
export { expiring, expiryWarnings } from "../../certificates/expiry.ts";
export type { KeyMaterials, News, Shown } from "../../certificates/store.ts";
export type { KeyPair } from "../../certificates/files/key-pairs.ts";
export type { Judged } from "./openssl-errors.ts";
export { TlsReader } from "./reader.ts";
export type {
  ClientCertificates,
  ClientTlsSettings,
  TlsParameters,
  TlsSettings,
} from "./settings.ts";
export { ciphers, commands, file, passwords, protocols } from "./shared-rows.ts";
export { type PlaceOf, security, ssl } from "./ssl.ts";
