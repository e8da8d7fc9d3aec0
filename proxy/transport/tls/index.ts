/** TLS on Node's OpenSSL, either side. */
export { SocketClientTls } from "./client-tls.ts";
export { SocketServerTls } from "./server-tls.ts";
