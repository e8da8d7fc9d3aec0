/**
 * Certificates and ticket keys: loaded, paired with their keys, chosen by name, polled, and handed to TLS. Here are
 * the parts that a worker needs; the primary process imports its own from their files, which load the parser.
 */
export { refuseCertificate } from "./client-verification.ts";
export { type CertificateSource, ClientTlsContexts, ServerTlsContexts } from "./contexts.ts";
export type { RenewableMaterial, ServerMaterial, TlsMaterial } from "./material.ts";
export type { LoadedSettings, Renewal } from "./store.ts";
