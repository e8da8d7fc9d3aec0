/** Certificates and ticket keys: read, paired with their keys, chosen by name, watched, and handed to TLS. */
export { refuseCertificate } from "./client-verification.ts";
export { TlsContexts } from "./contexts.ts";
export { OwnTicketKeys } from "./tickets.ts";
