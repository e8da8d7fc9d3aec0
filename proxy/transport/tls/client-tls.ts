/** TLS as a client, on Node's OpenSSL. */
import { type Socket, isIP } from "node:net";
import {
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
  connect,
  createSecureContext,
} from "node:tls";
import type { ClientTlsSettings } from "../../config/index.ts";
import type { Address, ClientTls } from "../connection.ts";
import { ClientSessions } from "./client-sessions.ts";
import { blame, contextOptions } from "./context-options.ts";
import { checkName, explained } from "./handshake-error.ts";

export class SocketClientTls implements ClientTls {
  readonly kind = "client";
  readonly #settings: ClientTlsSettings;
  readonly #sessions: ClientSessions | null;
  /** Made when first used: the well-known authorities are many, and most upstreams speak no TLS. */
  #context: SecureContext | null = null;

  constructor(settings: ClientTlsSettings) {
    this.#settings = settings;
    this.#sessions = settings.sessionReuse === false ? null : new ClientSessions();
  }

  /** @throws ConfigError where OpenSSL refuses what a directive says, and its own error otherwise */
  check(): void {
    this.#context ??= context(this.#settings);
  }

  /**
   * Begins the handshake. Bytes that have come already are taken for a part of it.
   *
   * @param name that the certificate must be for
   */
  connect(socket: Socket, name: string, peer: Address): TLSSocket {
    const { verify, serverName = true } = this.#settings;
    const kept = this.#sessions?.take(name, peer) ?? null;
    this.#context ??= context(this.#settings);
    const options = {
      socket,
      highWaterMark: socket.readableHighWaterMark,
      secureContext: this.#context,
      rejectUnauthorized: verify,
      // SNI carries names only (RFC 6066 section 3), without a dot at the end; an address is verified all the same.
      ...(serverName && isIP(name) === 0 ? { servername: name.replace(/\.$/, "") } : {}),
      checkServerIdentity: (_: string, certificate: PeerCertificate) =>
        checkName(name, certificate),
      ...(kept === null ? {} : { session: kept.session }),
    };
    const secured = connect(options);
    this.#sessions?.listen(secured, name, peer, kept?.until ?? 0);
    return secured;
  }

  /** Why a handshake failed, in nginx's words. */
  explained(error: unknown): Error {
    return explained(error, this.#settings.peer ?? null);
  }
}

function context(settings: ClientTlsSettings): SecureContext {
  const { trusted, parameters, revocations = null } = settings;
  try {
    return createSecureContext({
      ...(trusted === null ? {} : { ca: trusted }),
      ...(parameters === undefined ? {} : contextOptions(parameters, revocations)),
    });
  } catch (error) {
    throw (parameters === undefined ? null : blame(parameters, revocations)) ?? error;
  }
}
