/** TLS as a server, on Node's OpenSSL. */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import {
  type SecureContext,
  TLSSocket,
  type TLSSocketOptions,
  createSecureContext,
} from "node:tls";
import type { TlsSettings } from "../../config/index.ts";
import { ClientVerifier } from "./client-verifier.ts";
import type { ServerTls, Verification } from "../connection.ts";
import { blame, contextOptions } from "./context-options.ts";
import { giveTickets } from "./tickets.ts";

export class SocketServerTls implements ServerTls {
  readonly kind = "server";
  readonly #options: TLSSocketOptions;
  readonly #verifier: ClientVerifier | null;

  /**
   * @param ticketKey 48 bytes that all workers share, for settings without keys of their own
   * @param alpn the one name accepted in ALPN (RFC 7301); a client that offers only others is refused
   * @throws ConfigError where OpenSSL refuses what a directive says
   */
  constructor(settings: TlsSettings, ticketKey: Uint8Array, alpn: string) {
    const { clients, ticketKeys } = settings;
    const keys = ticketKeys.length === 0 ? [ticketKey] : ticketKeys;
    const secureContext = context(settings, keys[0] ?? ticketKey);
    this.#verifier = clients === null ? null : new ClientVerifier(clients);
    if (keys.length > 1 || this.#verifier !== null) {
      giveTickets(secureContext, keys, () => this.#verifier?.mayResume() ?? true);
    }
    this.#options = {
      isServer: true,
      secureContext,
      ALPNProtocols: [alpn],
      // Whatever certificate comes is let in, and judged once the handshake is done, as in nginx.
      requestCert: clients !== null,
      rejectUnauthorized: false,
    };
  }

  /** Begins the handshake. */
  accept(socket: Socket): TLSSocket {
    const options = { ...this.#options, highWaterMark: socket.readableHighWaterMark };
    const secured = new TLSSocket(socket, options);
    this.#verifier?.watch(secured);
    return secured;
  }

  /** What is to be thought of the client's certificate; null where none was asked for. */
  verify(secured: TLSSocket): Verification | null {
    return this.#verifier?.verify(secured) ?? null;
  }
}

function context(settings: TlsSettings, ticketKey: Uint8Array): SecureContext {
  const { clients, certificateCompression } = settings;
  const revocations = clients?.revocations ?? null;
  try {
    return createSecureContext({
      ...contextOptions(settings, revocations),
      // An empty list keeps Node from trusting the well-known authorities.
      ca: [...(clients?.authorities ?? [])],
      sessionTimeout: Math.min(Math.max(1, settings.sessionTimeout), LONGEST_TIMEOUT),
      sessionIdContext: sessionIdContext(settings),
      ticketKeys: Buffer.from(ticketKey),
      ...(certificateCompression ? { certificateCompression: ["zstd", "brotli", "zlib"] } : {}),
    });
  } catch (error) {
    throw blame(settings, revocations) ?? error;
  }
}

/** Seconds, as many as Node takes. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** SSL_MAX_SID_CTX_LENGTH, bytes. */
const LONGEST_ID_CONTEXT = 32;

/**
 * A session is resumed only with the same certificates and the same demands on the client's: all servers
 * share ticket keys, and the client of one must not pass for verified at another.
 */
function sessionIdContext({ keyPairs, clients }: TlsSettings): string {
  const demands = clients && { ...clients, revocations: clients.revocations?.value };
  const same = JSON.stringify([keyPairs.map(({ certificate }) => certificate), demands]);
  return createHash("sha256").update(same).digest("base64url").slice(0, LONGEST_ID_CONTEXT);
}
