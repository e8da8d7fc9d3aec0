/** TLS as a client, on Node's OpenSSL. */
import {
  type ConnectionOptions,
  type SecureContext,
  checkServerIdentity,
  createSecureContext,
} from "node:tls";
import { isIP } from "node:net";
import type { ClientTls } from "../connection.ts";

export interface ClientTlsSettings {
  /** Whether a certificate that does not hold ends the connection. */
  readonly verify: boolean;
  /** PEM certificates to trust instead of the well-known authorities and NODE_EXTRA_CA_CERTS; null for those. */
  readonly trusted: string | null;
}

export class SocketClientTls implements ClientTls {
  readonly kind = "client";
  readonly #context: SecureContext;
  readonly #verify: boolean;
  /** The last session with each name, so that the next handshake is a short one. */
  readonly #sessions = new Map<string, Buffer>();

  constructor({ verify, trusted }: ClientTlsSettings) {
    this.#verify = verify;
    this.#context = createSecureContext(trusted === null ? {} : { ca: trusted });
  }

  options(name: string): ConnectionOptions {
    const session = this.#sessions.get(name);
    return {
      secureContext: this.#context,
      rejectUnauthorized: this.#verify,
      // SNI carries names only (RFC 6066 section 3); an address is verified all the same.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
      ...(session === undefined ? {} : { session }),
    };
  }

  remember(name: string, session: Buffer): void {
    this.#sessions.set(name, session);
  }
}
