/** TLS on Node's OpenSSL, either side. */
export { trustSystem } from "./authorities.ts";
export { SocketClientTls } from "./client-tls.ts";
export { ServerContexts, type ServerSecrets } from "./server-contexts.ts";
export { SocketServerTls } from "./server-tls.ts";
export type { TicketKeys } from "./tickets.ts";
