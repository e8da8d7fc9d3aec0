/** The PROXY protocol towards an upstream: who the client is, before our first byte. */
import { parseIp } from "../../shared/address.ts";
import type { Address } from "../transport/index.ts";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Version 2, and its commands. */
const LOCAL_V2 = 0x20;
const PROXY_V2 = 0x21;

/**
 * @param source the client
 * @param destination where the client connected to
 */
export function formatProxyHeader(
  version: "on" | "v2",
  source: Address,
  destination: Address,
): Uint8Array {
  const from = parseIp(source.host);
  const to = parseIp(destination.host);
  // A unix socket has nothing to tell.
  if (from === null || to === null) {
    if (version === "on") return Buffer.from("PROXY UNKNOWN\r\n");
    return Buffer.concat([SIGNATURE, Buffer.from([LOCAL_V2, 0, 0, 0])]);
  }
  // One family for both: an IPv4 address beside an IPv6 one is written as IPv4-mapped.
  const four = from.kind() === "ipv4" && to.kind() === "ipv4";
  if (version === "v2") {
    const addresses = [from, to].map((ip) => (four ? ip : mapped(ip)).toByteArray());
    const length = four ? 12 : 36;
    const ports = [source.port, destination.port].flatMap((port) => [port >> 8, port & 0xff]);
    const fixed = [PROXY_V2, four ? 0x11 : 0x21, 0, length];
    return Buffer.concat([SIGNATURE, Buffer.from([...fixed, ...addresses.flat(), ...ports])]);
  }
  const [family, hosts] = four
    ? ["TCP4", [from.toString(), to.toString()]]
    : ["TCP6", [mapped(from).toString(), mapped(to).toString()]];
  return Buffer.from(`PROXY ${family} ${hosts.join(" ")} ${source.port} ${destination.port}\r\n`);
}

function mapped(ip: NonNullable<ReturnType<typeof parseIp>>): typeof ip {
  return "toIPv4MappedAddress" in ip ? ip.toIPv4MappedAddress() : ip;
}
