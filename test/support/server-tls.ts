// TLS as a server, with a new certificate and fixed ticket keys.
import { type ServerTlsSettings, SocketServerTls } from "../../proxy/transport/tls.ts";
import { type Certificate, selfSigned } from "./certificate.ts";

const certificates = new Map<string, Promise<Certificate>>();

export async function serverTls(
  changes: Partial<ServerTlsSettings> = {},
): Promise<SocketServerTls> {
  const made = certificates.get("") ?? selfSigned("mail.test");
  certificates.set("", made);
  return new SocketServerTls({
    keyPairs: [await made],
    versions: { oldest: "TLSv1.2", newest: "TLSv1.3" },
    ciphers: "HIGH:!aNULL:!MD5",
    preferServerCiphers: false,
    curves: "auto",
    dhparam: null,
    tickets: { enabled: true, lifetime: 300_000, keys: new Uint8Array(48).fill(7) },
    alpn: "imap",
    ...changes,
  });
}
