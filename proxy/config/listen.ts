/** The `listen` directive, and the mail protocol that a port stands for. */
import { parseIp } from "../../shared/address.ts";
import type { ProtocolName } from "../../shared/lookup.ts";
import { ConfigError } from "./error.ts";
import type { Directive } from "./parser.ts";
import { words } from "./values.ts";

export interface Listen {
  /** An address or a name; brackets of IPv6 are taken off. */
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (RFC 8314 section 3.3). */
  readonly ssl: boolean;
  /** Whether each connection begins with a PROXY header. */
  readonly proxyProtocol: boolean;
}

/** The protocol that nginx assumes where the server names none. */
const PROTOCOL_OF_PORT: ReadonlyMap<number, ProtocolName> = new Map([
  [143, "imap"],
  [993, "imap"],
  [110, "pop3"],
  [995, "pop3"],
  [25, "smtp"],
  [465, "smtp"],
  [587, "smtp"],
]);

export function protocolOf(listens: readonly Listen[]): ProtocolName | undefined {
  return listens.map(({ port }) => PROTOCOL_OF_PORT.get(port)).find((name) => name !== undefined);
}

/** `143`, `*:143`, `192.0.2.1:143`, `mail.example:143`, `[2001:db8::1]:143`. */
export function listen(directive: Directive): Listen {
  const [address = "", ...parameters] = words(directive);
  const unknown = parameters.find((word) => word !== "ssl" && word !== "proxy_protocol");
  if (unknown !== undefined) throw new ConfigError(`invalid parameter "${unknown}"`, directive);
  const ssl = parameters.includes("ssl");
  const proxyProtocol = parameters.includes("proxy_protocol");

  const colon = address.lastIndexOf(":");
  const bracketed = address.startsWith("[");
  const [host, digits] =
    colon === -1 || (bracketed && !address.includes("]:"))
      ? ["*", address]
      : [address.slice(0, colon), address.slice(colon + 1)];
  const port = Number(digits);
  if (!/^\d+$/.test(digits) || port < 1 || port > 65_535) {
    throw new ConfigError(`invalid port in "${address}" of the "listen" directive`, directive);
  }
  if (host === "" || host === "[]") {
    throw new ConfigError(`no host in "${address}" of the "listen" directive`, directive);
  }
  if (bracketed && parseIp(host.slice(1, -1)) === null) {
    throw new ConfigError(
      `invalid IPv6 address in "${address}" of the "listen" directive`,
      directive,
    );
  }
  return {
    host: host === "*" ? "0.0.0.0" : host.replace(/^\[|\]$/g, ""),
    port,
    ssl,
    proxyProtocol,
  };
}
