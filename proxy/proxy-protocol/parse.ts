/**
 * The header of the PROXY protocol, by which a load balancer names its client before the client's first byte.
 * Both versions (https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt). nginx wants the header in one
 * piece; here it may come in many, since networks split it anywhere.
 */
import { canonicalIp, parseIp } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import {
  type Address,
  type Input,
  MORE,
  type Script,
  TooLong,
  takeBytes,
} from "../transport/index.ts";
import { quoted } from "../quoted.ts";

/** The addresses of the connection in front of the balancer. */
export interface Proxied {
  readonly source: Address;
  readonly destination: Address;
}

export type ProxyHeader =
  | { readonly kind: "proxied"; readonly proxied: Proxied }
  /** A connection of the balancer's own (LOCAL, UNKNOWN), or of a client without an IP address. */
  | { readonly kind: "local" };

export class InvalidProxyHeader extends Error {
  override name = "InvalidProxyHeader";
}

const LOCAL: ProxyHeader = { kind: "local" };
const SIGNATURE: ByteString = "\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED = 16;

const V1_START = "PROXY ";

/** Bytes of a word that is shown: as many as a protocol's longest verb has. */
const LONGEST_WORD = 12;

/** Bytes of a header, as in nginx. */
const LONGEST = 4096;

const ADDRESS = /^[\da-f:.]{1,45}$/i;
const PORT = /^\d{1,5}$/;

/** The words of a header of version 1, in their order. */
const WORDS = [/^PROXY$/, /^[A-Z\d]{1,7}$/, ADDRESS, ADDRESS, PORT, PORT];

/**
 * nginx shows what came up to the first line end. A login may stand there, alone or behind a header without its line
 * end, so Postern shows the words that a header may have, or else the first word.
 */
export function brokenHeader(text: ByteString): InvalidProxyHeader {
  const [line = ""] = text.split(/[\r\n]/, 1);
  const words = line.split(" ", WORDS.length);
  const strange = words.findIndex((word, index) => WORDS[index]?.test(word) !== true);
  const known = words.slice(0, strange === -1 ? words.length : strange).join(" ");
  const [first = ""] = words;
  const shown = known === "" ? first.slice(0, LONGEST_WORD) : known;
  return new InvalidProxyHeader(`broken header: ${quoted(shown)}`);
}

/** @throws InvalidProxyHeader with nginx's words */
export function* readProxyHeader(input: Input): Script<ProxyHeader> {
  for (;;) {
    const start = input.peek(SIGNATURE.length);
    if (start === "") yield MORE;
    else if (!SIGNATURE.startsWith(start)) return yield* version1(input);
    else if (start.length < SIGNATURE.length) yield MORE;
    else return yield* version2(input);
  }
}

function* version1(input: Input): Script<ProxyHeader> {
  const line = yield* takeHeaderLine(input);
  const broken = brokenHeader(line);
  if (!line.endsWith("\r\n")) throw broken;
  const [signature, family, ...parts] = line.slice(0, -2).split(" ");
  if (signature !== "PROXY") throw broken;
  if (family === "UNKNOWN") return LOCAL;
  const [source = "", destination = "", sourcePort = "", destinationPort = "", ...more] = parts;
  const ports = [sourcePort, destinationPort];
  const hosts = [source, destination];
  const address = family === "TCP4" ? /^[\d.]+$/ : family === "TCP6" ? /:/ : null;
  const valid =
    address !== null &&
    more.length === 0 &&
    ports.every((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65_535) &&
    hosts.every((host) => address.test(host) && parseIp(host) !== null);
  if (!valid) throw broken;
  return {
    kind: "proxied",
    proxied: {
      source: { host: source, port: Number(sourcePort) },
      destination: { host: destination, port: Number(destinationPort) },
    },
  };
}

/** Takes the line. Bytes that cannot begin a header end the wait for its line end. */
function* takeHeaderLine(input: Input): Script<ByteString> {
  for (;;) {
    if (!V1_START.startsWith(input.peek(V1_START.length))) throw brokenHeader(input.peek(LONGEST));
    const line = readLine(input);
    if (line !== null) return line;
    yield MORE;
  }
}

function readLine(input: Input): ByteString | null {
  try {
    return input.line(LONGEST);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    throw brokenHeader(input.peek(LONGEST));
  }
}

function* version2(input: Input): Script<ProxyHeader> {
  while (input.length < V2_FIXED) yield MORE;
  // The bytes stay in the input until all have come, since the log shows a header that breaks off.
  const fixed = Buffer.from(input.peek(V2_FIXED), "latin1");
  const version = fixed.readUInt8(12) >> 4;
  if (version !== 2) throw new InvalidProxyHeader(`unknown PROXY protocol version: ${version}`);
  const length = fixed.readUInt16BE(14);
  if (V2_FIXED + length > LONGEST) throw new InvalidProxyHeader("header is too large");
  const header = Buffer.from(yield* takeBytes(input, V2_FIXED + length), "latin1");
  const rest = header.subarray(V2_FIXED);
  const command = fixed.readUInt8(12) & 0x0f;
  const transport = fixed.readUInt8(13);
  if (command !== 1) return LOCAL;
  if (transport === 0x11) return addresses(rest, 4);
  return transport === 0x21 ? addresses(rest, 16) : LOCAL;
}

/** @param size bytes of one address; TLVs behind are skipped */
function addresses(bytes: Buffer, size: 4 | 16): ProxyHeader {
  const ports = 2 * size;
  if (bytes.length < ports + 4) throw new InvalidProxyHeader("header is too small");
  const host = (at: number): string => ip(bytes.subarray(at, at + size));
  return {
    kind: "proxied",
    proxied: {
      source: { host: host(0), port: bytes.readUInt16BE(ports) },
      destination: { host: host(size), port: bytes.readUInt16BE(ports + 2) },
    },
  };
}

function ip(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(2 * index).toString(16),
  );
  return canonicalIp(groups.join(":")) ?? "";
}
