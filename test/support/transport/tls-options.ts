// The data that TLS contexts of the only server are made of, by directives.
import type { ServerMaterial } from "../../../proxy/certificates/index.ts";
import type { ClientTlsOptions } from "../../../proxy/transport/index.ts";
import { type Files, configure, mailBlock } from "../proxy/configuration.ts";

/** TLS towards clients; null where the server speaks none. */
export function serverTlsOptions(
  inServer: string,
  inMail = "",
  files: Files = {},
): ServerMaterial | null {
  const { servers, certificates } = configure(mailBlock(inServer, inMail), files);
  const { tls } = servers[0]!;
  return tls === null ? null : certificates.material.servers[tls.index]!;
}

/** TLS towards upstreams. */
export function proxyTlsOptions(
  inServer: string,
  inMail = "",
  files: Files = {},
): ClientTlsOptions {
  const { servers, certificates } = configure(mailBlock(inServer, inMail), files);
  return certificates.material.clients[servers[0]!.proxyTls]!;
}

/** TLS towards the lookup endpoint; null where it is not `https://`. */
export function lookupTlsOptions(
  inServer: string,
  inMail = "",
  files: Files = {},
): ClientTlsOptions | null {
  const { servers, certificates } = configure(mailBlock(inServer, inMail), files);
  const { lookupTls } = servers[0]!;
  return lookupTls === null ? null : certificates.material.clients[lookupTls]!;
}
