/** Certificates and ticket keys: read, paired with their keys, chosen by name, watched, and handed to TLS. */
export { refuseCertificate } from "./client-verification.ts";
export { type KeyMaterialSource, TlsContexts } from "./contexts.ts";
export { RemotePairs } from "./remote-pairs.ts";
export { OwnTicketKeys } from "./tickets.ts";
export { KeyWatch } from "./watch.ts";
