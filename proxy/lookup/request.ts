/** A lookup as nginx writes it: its headers, in its order. */
import { type ByteString, escapeValue } from "../../shared/lookup.ts";
import { version } from "../version.ts";
import type { LookupEndpoint } from "../config/index.ts";
import type { LookupRequest } from "./authority.ts";

/** nginx's word for an SMTP client whose name it has not looked up. */
const NO_NAME = "[UNAVAILABLE]";

/**
 * @param keepalive HTTP/1.1, to be followed by more; otherwise HTTP/1.0, as nginx speaks it
 * @param headers more lines, verbatim
 */
export function formatRequest(
  { https, uri, hostHeader }: LookupEndpoint,
  request: LookupRequest,
  keepalive: boolean,
  headers: readonly string[],
): ByteString {
  const { method, login, password, protocol, attempt, client, tls } = request;
  const lines = [
    `GET ${uri} HTTP/${keepalive ? "1.1" : "1.0"}`,
    `Host: ${hostHeader}`,
    `Auth-Method: ${method}`,
    `Auth-User: ${escapeValue(login, https)}`,
    `Auth-Pass: ${escapeValue(password, https)}`,
    `Auth-Protocol: ${protocol}`,
    `Auth-Login-Attempt: ${attempt}`,
    `Client-IP: ${client}`,
  ];
  if (protocol === "smtp") lines.push(`Client-Host: ${NO_NAME}`);
  if (tls !== null) {
    lines.push("Auth-SSL: on", `Auth-SSL-Protocol: ${tls.protocol}`);
    lines.push(`Auth-SSL-Cipher: ${tls.cipher}`);
  }
  // Intermediaries on the way to a distant endpoint turn away requests without one.
  if (https) lines.push(`User-Agent: postern/${version}`);
  lines.push(...headers);
  return `${lines.join("\r\n")}\r\n\r\n`;
}
