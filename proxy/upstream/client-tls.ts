/** TLS as a client, as the directives of servers describe it. */
import type { ClientTlsSettings } from "../config/index.ts";
import { SocketClientTls } from "../transport/index.ts";

/** Servers with the same settings share it, and its sessions. */
export class ClientTlsContexts {
  readonly #made = new Map<ClientTlsSettings, SocketClientTls>();

  of(settings: ClientTlsSettings): SocketClientTls {
    return this.#made.getOrInsertComputed(settings, () => new SocketClientTls(settings));
  }
}
