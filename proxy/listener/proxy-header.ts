/**
 * The PROXY protocol, as a load balancer before us speaks it: who the client is, said before its first byte.
 * Both versions (https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt). nginx wants the header in one
 * piece; networks cut where they like, so here it may come in many.
 */
import { canonicalIp, parseIp } from "../../shared/address.ts";
import type { ByteString } from "../../shared/lookup.ts";
import { type Address, type Input, TooLong } from "../transport/index.ts";

/** What the header said of the connection in front of the balancer. */
export interface Proxied {
  readonly source: Address;
  readonly destination: Address;
}

export type ProxyHeader =
  | { readonly kind: "proxied"; readonly proxied: Proxied }
  /** The balancer speaks for itself (LOCAL, UNKNOWN), or for a client without an IP address. */
  | { readonly kind: "local" };

export class InvalidProxyHeader extends Error {
  override name = "InvalidProxyHeader";
}

const LOCAL: ProxyHeader = { kind: "local" };
const SIGNATURE: ByteString = "\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED = 16;

const V1_START = "PROXY ";

/** Bytes of a header; nginx looks at no more. */
const LONGEST = 4096;

/** nginx shows what came up to the first line end. */
export function brokenHeader(text: ByteString): InvalidProxyHeader {
  const [line = ""] = text.split(/[\r\n]/, 1);
  return new InvalidProxyHeader(`broken header: "${line}"`);
}

/**
 * Takes the header.
 *
 * @returns null while it has not arrived whole
 * @throws InvalidProxyHeader with nginx's words
 */
export function readProxyHeader(input: Input): ProxyHeader | null {
  const start = input.peek(SIGNATURE.length);
  if (start === "") return null;
  return SIGNATURE.startsWith(start) ? version2(input) : version1(input);
}

function version1(input: Input): ProxyHeader | null {
  const start = input.peek(V1_START.length);
  if (!V1_START.startsWith(start)) throw brokenHeader(input.peek(LONGEST));
  const line = readLine(input);
  if (line === null) return null;
  const broken = brokenHeader(line);
  if (!line.endsWith("\r\n")) throw broken;
  const [signature, family, ...parts] = line.slice(0, -2).split(" ");
  if (signature !== "PROXY") throw broken;
  if (family === "UNKNOWN") return LOCAL;
  const [source = "", destination = "", sourcePort = "", destinationPort = "", ...more] = parts;
  const ports = [sourcePort, destinationPort];
  const hosts = [source, destination];
  const right = family === "TCP4" ? /^[\d.]+$/ : family === "TCP6" ? /:/ : null;
  const valid =
    right !== null &&
    more.length === 0 &&
    ports.every((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65_535) &&
    hosts.every((host) => right.test(host) && parseIp(host) !== null);
  if (!valid) throw broken;
  return {
    kind: "proxied",
    proxied: {
      source: { host: source, port: Number(sourcePort) },
      destination: { host: destination, port: Number(destinationPort) },
    },
  };
}

function readLine(input: Input): ByteString | null {
  try {
    return input.line(LONGEST);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    throw brokenHeader(input.peek(LONGEST));
  }
}

function version2(input: Input): ProxyHeader | null {
  const fixed = Buffer.from(input.peek(V2_FIXED), "latin1");
  if (fixed.length < V2_FIXED) return null;
  const version = fixed.readUInt8(12) >> 4;
  if (version !== 2) throw new InvalidProxyHeader(`unknown PROXY protocol version: ${version}`);
  const length = V2_FIXED + fixed.readUInt16BE(14);
  if (length > LONGEST) throw new InvalidProxyHeader("header is too large");
  const text = input.bytes(length);
  if (text === null) return null;

  const header = Buffer.from(text, "latin1");
  const command = header.readUInt8(12) & 0x0f;
  const transport = header.readUInt8(13);
  if (command !== 1) return LOCAL;
  if (transport === 0x11) return addresses(header, 4);
  return transport === 0x21 ? addresses(header, 16) : LOCAL;
}

/** @param size bytes of one address; TLVs behind are skipped */
function addresses(header: Buffer, size: 4 | 16): ProxyHeader {
  const ports = V2_FIXED + 2 * size;
  if (header.length < ports + 4) throw new InvalidProxyHeader("header is too small");
  const host = (at: number): string => ip(header.subarray(at, at + size));
  return {
    kind: "proxied",
    proxied: {
      source: { host: host(V2_FIXED), port: header.readUInt16BE(ports) },
      destination: { host: host(V2_FIXED + size), port: header.readUInt16BE(ports + 2) },
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
