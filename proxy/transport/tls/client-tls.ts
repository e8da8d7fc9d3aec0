/** TLS as a client, on Node's OpenSSL. */
import { type Socket, isIP } from "node:net";
import { type PeerCertificate, type SecureContext, type TLSSocket, connect } from "node:tls";
import type { Address, ClientTls } from "../connection.ts";
import { createClientContext } from "./client-context.ts";
import { ClientSessions } from "./client-sessions.ts";
import { checkName, explained } from "./handshake-error.ts";
import type { ClientTlsOptions } from "./options.ts";

export class SocketClientTls implements ClientTls {
  readonly kind = "client";
  readonly #options: ClientTlsOptions;
  readonly #sessions: ClientSessions | null;
  /** Made when first used, since the well-known authorities take time to load and most upstreams speak no TLS. */
  #context: SecureContext | null = null;

  constructor(options: ClientTlsOptions) {
    this.#options = options;
    this.#sessions = options.sessionReuse === false ? null : new ClientSessions();
  }

  /**
   * Begins the handshake. Bytes that the socket has received already are part of it.
   *
   * @param name the host name or address that the certificate must be for
   */
  connect(socket: Socket, name: string, peer: Address): TLSSocket {
    const { verify, serverName = true } = this.#options;
    const kept = this.#sessions?.take(name, peer) ?? null;
    this.#context ??= createClientContext(this.#options);
    const options = {
      socket,
      highWaterMark: socket.readableHighWaterMark,
      secureContext: this.#context,
      rejectUnauthorized: verify,
      // SNI carries names only, without a dot at the end (RFC 6066 section 3). An address is still verified.
      ...(serverName && isIP(name) === 0 ? { servername: name.replace(/\.$/, "") } : {}),
      checkServerIdentity: (_: string, certificate: PeerCertificate) =>
        checkName(name, certificate),
      ...(kept === null ? {} : { session: kept.session }),
    };
    const secured = connect(options);
    this.#sessions?.listen(secured, name, peer, kept?.until ?? 0);
    return secured;
  }

  /** The reason why a handshake failed, in nginx's words. */
  explained(error: unknown): Error {
    return explained(error, this.#options.peer ?? null);
  }
}
