/** The mail protocols: the replies to clients and the logins at upstreams. Bytes in, steps out; no sockets. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { ServerSettings } from "../config/index.ts";
import { imap } from "./imap/index.ts";
import { pop3 } from "./pop3/index.ts";
import type { Protocol } from "./protocol.ts";
import { smtp } from "./smtp/index.ts";

export { PIPELINE } from "./limits.ts";
export type { Account, ClientInfo, LoginEnd, Protocol, ProtocolHandler, Step } from "./protocol.ts";
export type { Credentials } from "./sasl.ts";

const PROTOCOLS: Readonly<Record<ProtocolName, (settings: ServerSettings) => Protocol>> = {
  imap,
  pop3,
  smtp,
};

/** Makes the parts of a server's protocol that all its sessions share. */
export function configureProtocol(settings: ServerSettings): Protocol {
  return PROTOCOLS[settings.protocol](settings);
}
