/** TLS towards clients: the `ssl_*` directives, and what they come to. */
export type { TlsUser } from "./certificates.ts";
export { failed } from "./openssl-words.ts";
export { TlsReader } from "./reader.ts";
export type { ClientCertificates, Judged, TlsSettings } from "./settings.ts";
export { type PlaceOf, pemFile, security, ssl } from "./ssl.ts";
