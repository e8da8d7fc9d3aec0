/** A tunnel through a SOCKS proxy, version 5 (RFC 1928), with user name and password (RFC 1929). */
import { parseIp } from "../../../shared/address.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import type { ProxyCredentials } from "../../config/index.ts";
import {
  type Address,
  type Input,
  type MORE,
  type Script,
  takeBytes,
} from "../../transport/index.ts";
import { invalidResponse } from "./invalid-response.ts";

const VERSION = 5;
const CONNECT = 1;

/** The methods of section 3. */
const NO_LOGIN = 0;
const PASSWORD = 2;
const NONE = 0xff;

/** The version number of RFC 1929's messages. */
const LOGIN_VERSION = 1;

/** The address types of section 5, with the bytes of each; a name's first byte is its length. */
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
const LENGTHS: Readonly<Record<number, number>> = { [IPV4]: 4, [IPV6]: 16 };

/** The replies of section 6. */
const REPLIES: Readonly<Record<number, string>> = {
  1: "general SOCKS server failure",
  2: "connection not allowed by ruleset",
  3: "Network unreachable",
  4: "Host unreachable",
  5: "Connection refused",
  6: "TTL expired",
  7: "Command not supported",
  8: "Address type not supported",
};

export function* socks5(
  input: Input,
  to: Address,
  credentials: ProxyCredentials | null,
): Script<void> {
  const offered = credentials === null ? [NO_LOGIN] : [NO_LOGIN, PASSWORD];
  yield octets(VERSION, offered.length, ...offered);
  const [version, method = NONE] = codes(yield* takeBytes(input, 2));
  if (version !== VERSION) throw invalidResponse();
  if (method === PASSWORD && credentials !== null) yield* logIn(input, credentials);
  else if (method === NONE) {
    throw new Error(credentials === null ? "wants a login" : "accepts no user name and password");
  } else if (method !== NO_LOGIN) throw invalidResponse();
  yield octets(VERSION, CONNECT, 0) + addressOf(to.host) + octets(to.port >> 8, to.port & 0xff);
  yield* granted(input);
}

function* logIn(input: Input, { user, password }: ProxyCredentials): Script<void> {
  yield octets(LOGIN_VERSION) + counted(user) + counted(password);
  const [version, status] = codes(yield* takeBytes(input, 2));
  if (version !== LOGIN_VERSION) throw invalidResponse();
  if (status !== 0) throw new Error("refused the user name or password");
}

/** Takes the whole reply; its address is of no use here. A refusal may end behind its code. */
function* granted(input: Input): Generator<typeof MORE, void, void> {
  const [version, reply = 0] = codes(yield* takeBytes(input, 2));
  if (version !== VERSION) throw invalidResponse();
  if (reply !== 0) throw new Error(`answered ${reply} ${REPLIES[reply] ?? ""}`.trimEnd());
  const [reserved, kind = 0] = codes(yield* takeBytes(input, 2));
  const length = kind === NAME ? codes(yield* takeBytes(input, 1))[0] : LENGTHS[kind];
  if (reserved !== 0 || length === undefined) throw invalidResponse();
  yield* takeBytes(input, length + 2);
}

function addressOf(host: string): ByteString {
  const ip = parseIp(host);
  if (ip === null) return octets(NAME) + counted(host);
  return octets(ip.kind() === "ipv4" ? IPV4 : IPV6, ...ip.toByteArray());
}

/** Puts the length before the text, in one byte. @throws RangeError beyond 255 bytes */
function counted(text: ByteString): ByteString {
  if (text.length > 255) throw new RangeError("cannot be told more than 255 bytes");
  return octets(text.length) + text;
}

function octets(...values: readonly number[]): ByteString {
  return String.fromCharCode(...values);
}

function codes(text: ByteString): readonly number[] {
  return Array.from(text, (char) => char.charCodeAt(0));
}
