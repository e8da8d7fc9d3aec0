// TLS as a server, as the directives of a `server {}` say it, with a new certificate and fixed ticket keys.
import assert from "node:assert/strict";
import type { TlsSettings } from "../../proxy/config/index.ts";
import {
  ServerContexts,
  type ServerSecrets,
  SocketServerTls,
} from "../../proxy/transport/index.ts";
import { pairFiles } from "./authority.ts";
import { type Certificate, selfSigned } from "./certificate.ts";
import { server } from "./configuration.ts";

let made: Promise<Certificate> | undefined;

async function tlsSettings(
  directives = "",
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TlsSettings> {
  made ??= selfSigned("mail.test");
  const pair = directives.includes("ssl_certificate ")
    ? ""
    : "ssl_certificate one.crt; ssl_certificate_key one.key;";
  const all = { ...pairFiles({ one: await made }), ...files };
  return server(`starttls on; ${pair} ${directives}`, "", all).tls!;
}

/** @param files beside the configuration; `one.crt` and `one.key` are there */
export async function serverTls(
  directives = "",
  files: Readonly<Record<string, string | Uint8Array>> = {},
  ticketKey = new Uint8Array(48).fill(7),
): Promise<SocketServerTls> {
  const contexts = await serverContexts(directives, files, { ticketKeys: () => [ticketKey] });
  return new SocketServerTls(contexts, "imap");
}

export async function serverContexts(
  directives = "",
  files: Readonly<Record<string, string | Uint8Array>> = {},
  secrets: Partial<ServerSecrets> = {},
): Promise<ServerContexts> {
  return new ServerContexts(await tlsSettings(directives, files), {
    ticketKeys: () => [new Uint8Array(48).fill(7)],
    pairs: () => Promise.resolve(null),
    refused: (why) => assert.fail(why),
    ...secrets,
  });
}
