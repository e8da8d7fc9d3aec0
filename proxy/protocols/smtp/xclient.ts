/** XCLIENT to an SMTP upstream (https://www.postfix.org/XCLIENT_README.html). */
import { unixPath } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import type { Command } from "../../transport/index.ts";
import { type Attributes, ip, port, xclientCommand, xclientAttributes } from "../client-id.ts";
import type { ClientInfo } from "../protocol.ts";

/** A client's EHLO or HELO. */
export interface Hello {
  readonly verb: "EHLO" | "HELO";
  readonly name: ByteString;
}

/** nginx's XCLIENT, whether or not the upstream announces it. */
export function unasked(client: ClientInfo, user: ByteString | null, offered: boolean): Command {
  const facts = { ADDR: xclientAddress(client.address), LOGIN: user, NAME: client.host };
  const command = saying(facts);
  return offered ? command : { ...command, note: "upstream does not announce XCLIENT" };
}

/**
 * Postfix's XCLIENT with all that the upstream wants to hear, and Dovecot's additions to it.
 *
 * @param attributes that the upstream announces
 * @returns null where there is nothing to tell
 */
export function wanted(
  client: ClientInfo,
  user: ByteString | null,
  hello: Hello | null,
  hops: number,
  attributes: readonly string[],
): Command | null {
  const destination = ip(client.local.host);
  const facts = {
    ...xclientAttributes(client, hops),
    ADDR: xclientAddress(ip(client.address) ?? client.address),
    NAME: client.host,
    HELO: hello?.name ?? null,
    PROTO: hello?.verb === "HELO" ? "SMTP" : "ESMTP",
    LOGIN: user,
    DESTADDR: destination === null ? null : xclientAddress(destination),
    DESTPORT: port(client.local.host, client.local.port),
  };
  const told = Object.entries(facts).filter(
    ([name, value]) => value !== null && attributes.includes(name),
  );
  return told.length === 0 ? null : saying(Object.fromEntries(told));
}

/** nginx says `unix:` of a client by a unix socket, at which Postfix would end the login. */
function xclientAddress(address: string): string {
  if (unixPath(address) !== null) return "[UNAVAILABLE]";
  return address.includes(":") ? `IPV6:${address}` : address;
}

function saying(facts: Attributes): Command {
  return { text: `${xclientCommand(facts)}\r\n`, name: "XCLIENT" };
}
