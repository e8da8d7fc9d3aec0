/**
 * The client's identity for upstreams (`proxy_client_id`): fields of IMAP's ID, and Postfix's XCLIENT, which Dovecot
 * accepts in POP3 too.
 */
import { parseIp } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type { Command } from "../transport/index.ts";
import type { ClientInfo, LoginEnd } from "./protocol.ts";

/** Proxies in a row, the first included; Dovecot's number. */
export const MAX_HOPS = 5;

/** The end of a login for which no hop is left, in Dovecot's words. */
export function loopDetected(name: Command["name"]): LoginEnd {
  return { kind: "impossible", name, reason: "TTL reached zero - proxies appear to be looping" };
}

/** Names with their values; a null value is not sent. */
export type Attributes = Readonly<Record<string, ByteString | null>>;

const HOPS_FIELD = "x-proxy-ttl";

/** IMAP's ID with Dovecot's field names. */
export function idCommand(client: ClientInfo, hops: number): ByteString {
  const attributes: Attributes = {
    "x-session-id": client.session,
    "x-originating-ip": ipText(client.address),
    "x-originating-port": portText(client.address, client.port),
    "x-connected-ip": ipText(client.local.host),
    "x-connected-port": portText(client.local.host, client.local.port),
    [HOPS_FIELD]: String(hops),
  };
  const fields = Object.entries(attributes).flatMap(([name, value]) => {
    return value === null ? [] : [`"${name}" "${value}"`];
  });
  return `ID (${fields.join(" ")})`;
}

/**
 * The hops in a client's ID, or undefined.
 *
 * @param words of the list; parentheses may stand alone or be part of the first and last word
 */
export function idHops(words: readonly ByteString[]): ByteString | undefined {
  const fields = words.map((word) => word.replace(/^\(?"?|"?\)?$/g, ""));
  const at = fields.findIndex((field) => field.toLowerCase() === HOPS_FIELD);
  return at === -1 ? undefined : fields[at + 1];
}

/** The attributes of XCLIENT that SMTP and POP3 have in common. */
export function xclientAttributes(client: ClientInfo, hops: number): Attributes {
  return {
    ADDR: ipText(client.address),
    PORT: portText(client.address, client.port),
    SESSION: client.session,
    TTL: String(hops),
  };
}

export function xclientCommand(attributes: Attributes): ByteString {
  const words = Object.entries(attributes).flatMap(([name, value]) => {
    return value === null ? [] : [` ${name}=${xtext(value)}`];
  });
  return `XCLIENT${words.join("")}`;
}

/** The hops in a client's XCLIENT, or undefined. */
export function xclientHops(attributes: readonly ByteString[]): ByteString | undefined {
  return attributes.find((attribute) => /^TTL=/i.test(attribute))?.slice("TTL=".length);
}

/** RFC 3461 section 4. */
function xtext(value: ByteString): ByteString {
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  return value.replace(/[\x00-\x20+=\x7f-\xff]/g, (byte) => {
    return `+${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** An IPv4 address of a dual-stack socket is an IPv4 address; a unix socket has no IP address. */
export function ipText(host: string): string | null {
  return parseIp(host)?.toString() ?? null;
}

/** Null without an IP address to which the port would belong. */
export function portText(host: string, port: number): string | null {
  return ipText(host) === null ? null : String(port);
}
