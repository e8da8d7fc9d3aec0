/** XCLIENT for an SMTP upstream (https://www.postfix.org/XCLIENT_README.html). */
import { unixPath } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import type { Command } from "../../transport/index.ts";
import {
  type Attributes,
  ipText,
  portText,
  xclientAttributes,
  xclientCommand,
} from "../client-id.ts";
import type { ClientInfo } from "../protocol.ts";

/** A client's EHLO or HELO. */
export interface Hello {
  readonly verb: "EHLO" | "HELO";
  readonly name: ByteString;
}

/** nginx's XCLIENT, which is sent even where the upstream does not announce it. */
export function unconditionalXclient(
  client: ClientInfo,
  user: ByteString | null,
  announced: boolean,
): Command {
  const command = commandOf({
    ADDR: xclientAddress(client.address),
    LOGIN: user,
    NAME: client.host,
  });
  return announced ? command : { ...command, note: "upstream does not announce XCLIENT" };
}

/**
 * Postfix's XCLIENT with every attribute that the upstream announces, and Dovecot's additions to it.
 *
 * @returns null where no announced attribute has a value
 */
export function announcedXclient(
  client: ClientInfo,
  user: ByteString | null,
  hello: Hello | null,
  hops: number,
  announced: readonly string[],
): Command | null {
  const destination = ipText(client.local.host);
  const attributes = {
    ...xclientAttributes(client, hops),
    ADDR: xclientAddress(ipText(client.address) ?? client.address),
    NAME: client.host,
    HELO: hello?.name ?? null,
    PROTO: hello?.verb === "HELO" ? "SMTP" : "ESMTP",
    LOGIN: user,
    DESTADDR: destination === null ? null : xclientAddress(destination),
    DESTPORT: portText(client.local.host, client.local.port),
  };
  const sent = Object.entries(attributes).filter(
    ([name, value]) => value !== null && announced.includes(name),
  );
  return sent.length === 0 ? null : commandOf(Object.fromEntries(sent));
}

/** nginx writes `unix:` for a client of a unix socket, at which Postfix would end the login. */
function xclientAddress(address: string): string {
  if (unixPath(address) !== null) return "[UNAVAILABLE]";
  return address.includes(":") ? `IPV6:${address}` : address;
}

function commandOf(attributes: Attributes): Command {
  return { text: `${xclientCommand(attributes)}\r\n`, name: "XCLIENT" };
}
