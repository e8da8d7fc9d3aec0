/** TLS on Node's OpenSSL, either side. */
export { trustSystem } from "./authorities.ts";
export { SocketClientTls } from "./client-tls.ts";
export { ClientVerifier } from "./client-verifier.ts";
export type {
  ClientCertificateOptions,
  ClientTlsOptions,
  KeyPair,
  ServerTlsOptions,
  TicketKeys,
  TlsParameters,
} from "./options.ts";
export { type ServerContext, createServerContext } from "./server-context.ts";
export { type ServerContextSource, SocketServerTls, type UseContext } from "./server-tls.ts";
export { TicketKeyRing, useTickets } from "./tickets.ts";
