/** Checks whether OpenSSL accepts the TLS of a configuration, so that `-t` and a start report errors with their places. */
import {
  type ClientTlsSettings,
  ConfigError,
  type ServerTlsSettings,
  type TlsSettings,
  opensslError,
} from "../config/index.ts";
import { reason } from "../reason.ts";
import { checkClientContext } from "../transport/tls/client-context.ts";
import { type CheckedOption, TlsOptionError } from "../transport/tls/context-options.ts";
import { createServerContext } from "../transport/tls/server-context.ts";
import { crlCall } from "./files/tls-files.ts";
import type { CertificateStore } from "./store.ts";

/** @throws ConfigError where OpenSSL refuses the value of a directive */
export function checkTls(tls: TlsSettings, store: CertificateStore): void {
  const { servers, clients } = store.material;
  for (const [index, settings] of tls.servers.entries()) {
    const server = servers[index];
    if (server === undefined) continue;
    orRefuse("ssl_*", settings, settings.clients.crl, () =>
      createServerContext(server.options, server.renewable.default),
    );
  }
  for (const [index, settings] of tls.clients.entries()) {
    const client = clients[index];
    if (client === undefined) continue;
    orRefuse(settings.directives, settings, settings.crl, () => checkClientContext(client));
  }
}

/** @throws ConfigError */
function orRefuse(
  directives: string,
  settings: ServerTlsSettings | ClientTlsSettings,
  crl: ClientTlsSettings["crl"],
  work: () => void,
): void {
  try {
    work();
  } catch (error) {
    const call = error instanceof TlsOptionError ? callOf(error.option, settings, crl) : null;
    if (error instanceof TlsOptionError && call !== null) {
      throw opensslError(call.call, error.why, call.place);
    }
    const what = `OpenSSL refuses the ${directives} directives (${reason(error)})`;
    throw new ConfigError(what, settings.place);
  }
}

/** nginx's name for the call that takes an option, and the place of the directive. */
function callOf(
  option: CheckedOption,
  { options }: ServerTlsSettings | ClientTlsSettings,
  crl: ClientTlsSettings["crl"],
): Pick<ClientTlsSettings["options"]["ciphers"], "call" | "place"> | null {
  switch (option) {
    case "revocations":
      return crl && { call: crlCall(crl), place: crl.place };
    case "dhparam":
      return options.dhparam && { call: options.dhparam.read, place: options.dhparam.file.place };
    case "ciphers":
    case "ciphersuites":
    case "groups":
    case "signatureAlgorithms":
      return options[option];
  }
}
