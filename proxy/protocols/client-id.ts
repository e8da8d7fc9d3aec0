/**
 * Who the client is, as upstreams are told of it (`proxy_client_id`): by fields of IMAP's ID, and by Postfix's
 * XCLIENT, which Dovecot has for POP3 too.
 */
import { parseIp } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import type { Command } from "../transport/index.ts";
import type { ClientInfo, LoginEnd } from "./protocol.ts";

/** Proxies in a row, the first included; Dovecot's number. */
export const MOST_HOPS = 5;

/** Dovecot's words for where no hop is left. */
export function loopDetected(name: Command["name"]): LoginEnd {
  return { kind: "impossible", name, why: "TTL reached zero - proxies appear to be looping" };
}

/** Each with its value; null where there is nothing to tell. */
export type Attributes = Readonly<Record<string, ByteString | null>>;

const HOPS = "x-proxy-ttl";

/** IMAP's ID with Dovecot's names for the fields. */
export function idCommand(client: ClientInfo, hops: number): ByteString {
  const facts: Attributes = {
    "x-session-id": client.session,
    "x-originating-ip": ip(client.address),
    "x-originating-port": port(client.address, client.port),
    "x-connected-ip": ip(client.local.host),
    "x-connected-port": port(client.local.host, client.local.port),
    [HOPS]: String(hops),
  };
  const fields = Object.entries(facts).flatMap(([name, value]) => {
    return value === null ? [] : [`"${name}" "${value}"`];
  });
  return `ID (${fields.join(" ")})`;
}

/**
 * The hops that a client's ID leaves, if it tells.
 *
 * @param words of its list, of which the first and last may be one with its parentheses
 */
export function idHops(words: readonly ByteString[]): ByteString | undefined {
  const fields = words.map((word) => word.replace(/^\(?"?|"?\)?$/g, ""));
  const at = fields.findIndex((field) => field.toLowerCase() === HOPS);
  return at === -1 ? undefined : fields[at + 1];
}

/** What XCLIENT has in common for SMTP and POP3. */
export function xclientAttributes(client: ClientInfo, hops: number): Attributes {
  return {
    ADDR: ip(client.address),
    PORT: port(client.address, client.port),
    SESSION: client.session,
    TTL: String(hops),
  };
}

export function xclientCommand(facts: Attributes): ByteString {
  const attributes = Object.entries(facts).flatMap(([name, value]) => {
    return value === null ? [] : [` ${name}=${xtext(value)}`];
  });
  return `XCLIENT${attributes.join("")}`;
}

/** The hops that a client's XCLIENT leaves, if it tells. */
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

/** An IPv4 address of a socket for both kinds is an IPv4 address; a unix socket has none. */
export function ip(host: string): string | null {
  return parseIp(host)?.toString() ?? null;
}

/** Nothing where there is no address that it would belong to. */
export function port(host: string, number: number): string | null {
  return ip(host) === null ? null : String(number);
}
