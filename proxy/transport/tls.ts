/** TLS contexts on Node's OpenSSL. */
import {
  type ConnectionOptions,
  type SecureContext,
  type SecureVersion,
  type TLSSocketOptions,
  checkServerIdentity,
  createSecureContext,
} from "node:tls";
import { constants } from "node:crypto";
import { isIP } from "node:net";
import type { ClientTls, ServerTls } from "./connection.ts";

export interface ServerTlsSettings {
  /** PEM, unencrypted. */
  readonly keyPairs: readonly { readonly certificate: string; readonly key: string }[];
  readonly versions: { readonly oldest: SecureVersion; readonly newest: SecureVersion };
  /** OpenSSL's list, for TLS 1.2. */
  readonly ciphers: string;
  readonly preferServerCiphers: boolean;
  /** OpenSSL's list, or `auto`. */
  readonly curves: string;
  /** PEM; null for no DHE. */
  readonly dhparam: string | null;
  /** Whether sessions may be resumed, for how long (ms), and the 48 bytes that all workers share for it (RFC 5077). */
  readonly tickets: {
    readonly enabled: boolean;
    readonly lifetime: number;
    readonly keys: Uint8Array;
  };
  /** The one name accepted in ALPN (RFC 7301); a client that offers only others is refused. */
  readonly alpn: string;
}

export class SocketServerTls implements ServerTls {
  readonly kind = "server";
  readonly options: TLSSocketOptions;

  /** @throws Error where OpenSSL refuses a list or a file */
  constructor(settings: ServerTlsSettings) {
    this.options = {
      isServer: true,
      secureContext: context(settings),
      ALPNProtocols: [settings.alpn],
    };
  }
}

function context(settings: ServerTlsSettings): SecureContext {
  const { keyPairs, versions, ciphers, curves, dhparam, tickets } = settings;
  return createSecureContext({
    cert: keyPairs.map(({ certificate }) => certificate),
    key: keyPairs.map(({ key }) => key),
    minVersion: versions.oldest,
    maxVersion: versions.newest,
    ciphers,
    honorCipherOrder: settings.preferServerCiphers,
    ecdhCurve: curves,
    ...(dhparam === null ? {} : { dhparam }),
    secureOptions: tickets.enabled ? 0 : constants.SSL_OP_NO_TICKET,
    sessionTimeout: Math.max(1, Math.round(tickets.lifetime / 1000)),
    ticketKeys: Buffer.from(tickets.keys),
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
