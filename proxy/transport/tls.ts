/** TLS contexts on Node's OpenSSL. */
import {
  type ConnectionOptions,
  type SecureContext,
  type TLSSocketOptions,
  checkServerIdentity,
  createSecureContext,
} from "node:tls";
import { isIP } from "node:net";
import type { ClientTls, ServerTls } from "./connection.ts";

export interface ServerTlsSettings {
  readonly keyPairs: readonly { readonly certificate: string; readonly key: string }[];
  /** 48 bytes shared by all workers, so that a session resumes wherever it lands (RFC 5077). */
  readonly ticketKeys: Uint8Array;
  /** The one name accepted in ALPN (RFC 7301); a client that offers only others is refused. */
  readonly alpn: string;
}

export class SocketServerTls implements ServerTls {
  readonly kind = "server";
  readonly options: TLSSocketOptions;

  constructor(settings: ServerTlsSettings) {
    this.options = {
      isServer: true,
      secureContext: context(settings),
      ALPNProtocols: [settings.alpn],
    };
  }
}

function context({ keyPairs, ticketKeys }: ServerTlsSettings): SecureContext {
  return createSecureContext({
    cert: keyPairs.map(({ certificate }) => certificate),
    key: keyPairs.map(({ key }) => key),
    ciphers: "HIGH:!aNULL:!MD5",
    minVersion: "TLSv1.2",
    ticketKeys: Buffer.from(ticketKeys),
    sessionIdContext: "postern",
  });
}

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
