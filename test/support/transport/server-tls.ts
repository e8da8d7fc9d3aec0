// TLS as a server, from the directives of a `server {}`, with a new certificate and fixed ticket keys.
import assert from "node:assert/strict";
import type { ServerMaterial } from "../../../proxy/certificates/index.ts";
import { ServerContexts, type ServerSecrets } from "../../../proxy/certificates/server-contexts.ts";
import { SocketServerTls, TicketKeyRing } from "../../../proxy/transport/index.ts";
import { pairFiles } from "../certificates/authority.ts";
import { type Certificate, selfSigned } from "../certificates/certificate.ts";
import { serverTlsOptions } from "./tls-options.ts";

let made: Promise<Certificate> | undefined;

async function serverMaterial(
  directives = "",
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<ServerMaterial> {
  made ??= selfSigned("mail.test");
  const pair = directives.includes("ssl_certificate ")
    ? ""
    : "ssl_certificate one.crt; ssl_certificate_key one.key;";
  const all = { ...pairFiles({ one: await made }), ...files };
  return serverTlsOptions(`starttls on; ${pair} ${directives}`, "", all)!;
}

/** @param files beside the configuration, in addition to `one.crt` and `one.key` */
export async function serverTls(
  directives = "",
  files: Readonly<Record<string, string | Uint8Array>> = {},
  ticketKey = new Uint8Array(48).fill(7),
): Promise<SocketServerTls> {
  const contexts = await serverContexts(directives, files, {
    ticketKeys: new TicketKeyRing([ticketKey]),
  });
  return new SocketServerTls(contexts, "imap");
}

export async function serverContexts(
  directives = "",
  files: Readonly<Record<string, string | Uint8Array>> = {},
  secrets: Partial<ServerSecrets> = {},
): Promise<ServerContexts> {
  return new ServerContexts(await serverMaterial(directives, files), {
    ticketKeys: new TicketKeyRing([new Uint8Array(48).fill(7)]),
    pairs: () => Promise.resolve(null),
    refused: (why) => assert.fail(why),
    ...secrets,
  });
}
