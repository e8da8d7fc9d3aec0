/** TLS towards clients, as the `ssl_*` directives describe it. */
import type { ServerSettings } from "../config/index.ts";
import { type ServerTls, SocketServerTls } from "../transport/index.ts";

/**
 * @param ticketKeys 48 bytes, the same for all workers
 * @returns null for a server that never speaks TLS
 * @throws Error where OpenSSL refuses what a directive says
 */
export function serverTls(server: ServerSettings, ticketKeys: Uint8Array): ServerTls | null {
  if (server.keyPairs.length === 0) return null;
  const { ssl_protocols: protocols, ssl_session_timeout: lifetime } = server;
  // Node resumes TLS 1.3 only by tickets, so a cache that stores sessions needs them too.
  const stored = server.ssl_session_cache.some((word) => /^(shared|builtin)/i.test(word));
  return new SocketServerTls({
    keyPairs: server.keyPairs,
    versions: {
      oldest: protocols.some((name) => name !== "tlsv1.3") ? "TLSv1.2" : "TLSv1.3",
      newest: protocols.includes("tlsv1.3") ? "TLSv1.3" : "TLSv1.2",
    },
    ciphers: server.ssl_ciphers,
    preferServerCiphers: server.ssl_prefer_server_ciphers,
    curves: server.ssl_ecdh_curve,
    dhparam: server.ssl_dhparam,
    tickets: { enabled: server.ssl_session_tickets || stored, lifetime, keys: ticketKeys },
    alpn: server.protocol,
  });
}
