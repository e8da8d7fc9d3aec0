/** TLS towards clients, as the `ssl_*` directives describe it. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { ServerSettings, TlsSettings } from "../config/index.ts";
import { type ServerTls, SocketServerTls } from "../transport/index.ts";

/** The TLS of a configuration's servers. Those with the same settings share it, since each costs time and memory. */
export class TlsContexts {
  readonly #ticketKey: Uint8Array;
  readonly #made = new Map<TlsSettings, Map<ProtocolName, ServerTls>>();

  /** @param ticketKey 48 bytes, the same for all workers */
  constructor(ticketKey: Uint8Array) {
    this.#ticketKey = ticketKey;
  }

  /**
   * @returns null for a server that never speaks TLS
   * @throws ConfigError where OpenSSL refuses what a directive says
   */
  of({ tls, protocol }: ServerSettings): ServerTls | null {
    if (tls === null) return null;
    return this.#made
      .getOrInsertComputed(tls, () => new Map<ProtocolName, ServerTls>())
      .getOrInsertComputed(protocol, () => new SocketServerTls(tls, this.#ticketKey, protocol));
  }
}
