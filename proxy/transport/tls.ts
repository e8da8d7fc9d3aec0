/** TLS contexts on Node's OpenSSL. */
import { type SecureContext, type TLSSocketOptions, createSecureContext } from "node:tls";
import type { ServerTls } from "./connection.ts";

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
