/** TLS as a server, on Node's OpenSSL. */
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket, type TLSSocketOptions } from "node:tls";
import type { ServerTls, Verification } from "../connection.ts";
import type { ClientVerifier } from "./client-verifier.ts";

/** Continues the handshake: with the context that it began with, unless another one is given. */
export type UseContext = (error: Error | null, context?: SecureContext) => void;

/** The contexts of a server. They change when files are renewed. */
export interface ServerContextSource {
  /** For clients that name no host with a context of its own. */
  readonly default: SecureContext;
  /** Finds the context for a host name (SNI, RFC 6066 section 3); null while there are no others. */
  readonly choose: ((host: string, use: UseContext) => void) | null;
  /** Null where clients are not asked for certificates. */
  readonly verifier: ClientVerifier | null;
}

interface AcceptOptions extends TLSSocketOptions {
  readonly highWaterMark: number;
}

export class SocketServerTls implements ServerTls {
  readonly kind = "server";
  readonly #contexts: ServerContextSource;
  readonly #alpn: Uint8Array;
  /** For handshakes as long as the contexts stay the same. */
  #options: AcceptOptions | null = null;

  /** @param alpn the one name accepted in ALPN (RFC 7301); a client that offers only others is refused */
  constructor(contexts: ServerContextSource, alpn: string) {
    this.#contexts = contexts;
    this.#alpn = protocolList(alpn);
  }

  /** Begins the handshake. */
  accept(socket: Socket): TLSSocket {
    const secured = new TLSSocket(socket, this.#optionsFor(socket.readableHighWaterMark));
    this.#contexts.verifier?.watch(secured);
    return secured;
  }

  /** @returns null where clients are not asked for certificates */
  verify(secured: TLSSocket): Verification | null {
    return this.#contexts.verifier?.verify(secured) ?? null;
  }

  #optionsFor(highWaterMark: number): AcceptOptions {
    const { default: secureContext, choose, verifier } = this.#contexts;
    const last = this.#options;
    if (
      last?.secureContext === secureContext &&
      last.SNICallback === (choose ?? undefined) &&
      last.highWaterMark === highWaterMark
    ) {
      return last;
    }
    const options: AcceptOptions = {
      isServer: true,
      ALPNProtocols: this.#alpn,
      // Any certificate may finish the handshake. It is judged afterwards, as in nginx.
      requestCert: verifier !== null,
      rejectUnauthorized: false,
      highWaterMark,
      secureContext,
      ...(choose === null ? {} : { SNICallback: choose }),
    };
    this.#options = options;
    return options;
  }
}

/** One name as ALPN encodes a list (RFC 7301 section 3.1). */
function protocolList(name: string): Uint8Array {
  const bytes = Buffer.from(name);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
