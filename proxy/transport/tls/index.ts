/** TLS on Node's OpenSSL, either side. */
export { trustSystem } from "./authorities.ts";
export { SocketClientTls } from "./client-tls.ts";
export { SocketServerTls } from "./server-tls.ts";
