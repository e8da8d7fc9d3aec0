/** The header of the PROXY protocol towards an upstream, which names the client before our first byte. */
import crc32c from "crc-32/crc32c.js";
import { parseIp } from "../../shared/address.ts";
import type { Address, TlsSession } from "../transport/index.ts";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const LOCAL = 0x20;
const PROXY = 0x21;

/** Extensions of version 2 (its specification, section 2.2). */
const TLV = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  ssl: 0x20,
  sslVersion: 0x21,
  sslCommonName: 0x22,
  sslCipher: 0x23,
  sslSignature: 0x24,
  sslKey: 0x25,
} as const;

/** Flags about the client: TLS, a certificate in this connection, a certificate in this TLS session. */
const CLIENT = { ssl: 1, certificateNow: 2, certificate: 4 } as const;
/** The verification result where the client sent no certificate. */
const UNVERIFIED = 1;

/**
 * @param source the client
 * @param destination where the client connected to
 * @param tls the client's
 */
export function formatProxyHeader(
  version: "on" | "v2",
  source: Address,
  destination: Address,
  tls: TlsSession | null,
): Uint8Array {
  return version === "on" ? version1(source, destination) : version2(source, destination, tls);
}

/** nginx goes by the client's family alone; Postern writes one family for both, an IPv4 address beside an IPv6 one as mapped. */
function version1(source: Address, destination: Address): Uint8Array {
  const hosts = [source.host, destination.host];
  if (hosts.some((host) => parseIp(host) === null)) return Buffer.from("PROXY UNKNOWN\r\n");
  const six = hosts.some((host) => host.includes(":"));
  const [from, to] = hosts.map((host) => (six && !host.includes(":") ? `::ffff:${host}` : host));
  const family = six ? "TCP6" : "TCP4";
  return Buffer.from(`PROXY ${family} ${from} ${to} ${source.port} ${destination.port}\r\n`);
}

function version2(source: Address, destination: Address, tls: TlsSession | null): Uint8Array {
  const extensions = tls === null ? [] : tlsExtensions(tls);
  const addresses = addressBlock(source, destination);
  const body = Buffer.concat([addresses.bytes, ...extensions, tlv(TLV.crc32c, Buffer.alloc(4))]);
  const fixed = Buffer.from([addresses.command, addresses.family, 0, 0]);
  fixed.writeUInt16BE(body.length, 2);
  const header = Buffer.concat([SIGNATURE, fixed, body]);
  // The checksum covers the whole header, with zeros in the checksum's own place.
  header.writeInt32BE(crc32c.buf(header), header.length - 4);
  return header;
}

interface AddressBlock {
  readonly command: number;
  readonly family: number;
  readonly bytes: Buffer;
}

/** Two mapped addresses are written as IPv4; a unix socket has no address. */
function addressBlock(source: Address, destination: Address): AddressBlock {
  const from = parseIp(source.host);
  const to = parseIp(destination.host);
  if (from === null || to === null) return { command: LOCAL, family: 0, bytes: Buffer.alloc(0) };
  const four = from.kind() === "ipv4" && to.kind() === "ipv4";
  const hosts = [from, to].flatMap((ip) => {
    return (four || !("toIPv4MappedAddress" in ip) ? ip : ip.toIPv4MappedAddress()).toByteArray();
  });
  const ports = [source.port, destination.port].flatMap((port) => [port >> 8, port & 0xff]);
  return { command: PROXY, family: four ? 0x11 : 0x21, bytes: Buffer.from([...hosts, ...ports]) };
}

function tlsExtensions(tls: TlsSession): Buffer[] {
  const certificate = tls.certificate();
  const theirs = tls.verification?.certificate ?? null;
  const ssl = Buffer.concat([
    clientState(tls),
    text(TLV.sslVersion, tls.protocol),
    text(TLV.sslCommonName, theirs?.commonName ?? null),
    text(TLV.sslCipher, tls.cipher),
    text(TLV.sslSignature, certificate?.signature ?? null),
    text(TLV.sslKey, certificate?.key ?? null),
  ]);
  return [text(TLV.authority, tls.serverName), text(TLV.alpn, tls.alpn), tlv(TLV.ssl, ssl)];
}

function clientState({ verification, resumed }: TlsSession): Buffer {
  const state = Buffer.from([CLIENT.ssl, 0, 0, 0, UNVERIFIED]);
  if (verification === null || verification.certificate === null) return state;
  state[0] = CLIENT.ssl | CLIENT.certificate | (resumed ? 0 : CLIENT.certificateNow);
  state.writeUInt32BE(verification.error?.code ?? 0, 1);
  return state;
}

/** Empty for an absent value. */
function text(type: number, value: string | null): Buffer {
  return value === null || value === "" ? Buffer.alloc(0) : tlv(type, Buffer.from(value, "latin1"));
}

function tlv(type: number, value: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}
