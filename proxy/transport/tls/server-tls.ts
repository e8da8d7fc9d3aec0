/** TLS as a server, on Node's OpenSSL. */
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket, type TLSSocketOptions } from "node:tls";
import type { ServerTls, Verification } from "../connection.ts";
import type { ServerContexts } from "./server-contexts.ts";

/** Without a context, the handshake goes on with the one that it began with. */
type Chosen = (error: Error | null, context?: SecureContext) => void;

export class SocketServerTls implements ServerTls {
  readonly kind = "server";
  readonly #contexts: ServerContexts;
  readonly #options: TLSSocketOptions;

  /** @param alpn the one name accepted in ALPN (RFC 7301); a client that offers only others is refused */
  constructor(contexts: ServerContexts, alpn: string) {
    this.#contexts = contexts;
    this.#options = {
      isServer: true,
      ALPNProtocols: [alpn],
      // Whatever certificate comes is let in, and judged once the handshake is done, as in nginx.
      requestCert: contexts.verifier !== null,
      rejectUnauthorized: false,
    };
  }

  /** Begins the handshake. */
  accept(socket: Socket): TLSSocket {
    const { standard, verifier, depends } = this.#contexts;
    const options = {
      ...this.#options,
      highWaterMark: socket.readableHighWaterMark,
      secureContext: standard,
      ...(depends ? { SNICallback: this.#choose } : {}),
    };
    const secured = new TLSSocket(socket, options);
    verifier?.watch(secured);
    return secured;
  }

  /** What is to be thought of the client's certificate; null where none was asked for. */
  verify(secured: TLSSocket): Verification | null {
    return this.#contexts.verifier?.verify(secured) ?? null;
  }

  readonly #choose = (host: string, done: Chosen): void => {
    void this.#answer(host, done);
  };

  async #answer(host: string, done: Chosen): Promise<void> {
    const context = await this.#contexts.named(host);
    done(null, context ?? undefined);
  }
}
