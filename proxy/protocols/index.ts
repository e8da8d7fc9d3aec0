/** The mail protocols: what we say to clients, and how we log in upstream. Bytes in, steps out; no sockets. */
import type { ProtocolName } from "../../shared/lookup.ts";
import { imap } from "./imap/index.ts";
import { pop3 } from "./pop3/index.ts";
import type { Protocol } from "./protocol.ts";
import { smtp } from "./smtp/index.ts";

export { PIPELINE } from "./limits.ts";
export type {
  Account,
  ClientInfo,
  ProtocolHandler,
  Limit,
  LoginEnd,
  Protocol,
  Step,
} from "./protocol.ts";
export type { Credentials } from "./sasl.ts";

export const protocols: Readonly<Record<ProtocolName, Protocol>> = { imap, pop3, smtp };
