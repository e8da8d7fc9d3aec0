/**
 * The addresses that a lookup may send a session to (`upstream_allow`, `upstream_deny`). A lookup endpoint on another
 * machine has no business with this machine's own services, nor with the metadata service of its cloud.
 */
import ipaddr from "ipaddr.js";
import {
  type Ip,
  type Network,
  contains,
  formatAddress,
  isLocalhost,
  parseIp,
  parseNetwork,
  unixPath,
} from "../../shared/address.ts";
import type { Address } from "../transport/index.ts";
import type { Dialer } from "./dialer.ts";

/** A lookup has named an address that it may not name. The server may be well, and nothing is counted against it. */
export class ForbiddenUpstream extends Error {
  override name = "ForbiddenUpstream";
}

/** By a name for the log. Cloud providers' metadata services give credentials to whoever can connect. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1"],
  metadata: [
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd20:ce::254",
  ],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  unspecified: ["0.0.0.0/8", "::"],
  multicast: ["224.0.0.0/4", "255.255.255.255", "ff00::/8"],
};

/**
 * IPv6 networks whose last 32 bits are an IPv4 address that a gateway or the kernel connects to: NAT64 (RFC 6052, RFC
 * 8215), IPv4-compatible (RFC 4291 section 2.5.5.1) and IPv4-translated (RFC 2765 section 2.1). 6to4 has it in bits 16
 * to 47 (RFC 3056). IPv4-mapped addresses are IPv4 already.
 */
const EMBEDDING = ["64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"].map(network);

/** The unspecified address and loopback, which no IPv4 address is in. */
const NOT_EMBEDDING = network("::/127");

const SIX_TO_FOUR = network("2002::/16");

const ALL = "all";

interface Rule {
  readonly network: Network;
  readonly allows: boolean;
  /** The directive as the log quotes it. */
  readonly written: string;
}

export interface PermittedSettings {
  /** Networks, or `all`. */
  readonly upstream_allow: readonly string[];
  readonly upstream_deny: readonly string[];
  readonly auth_http: { readonly host: string };
}

/** @returns null where every address is permitted */
export function permittedUpstreams(settings: PermittedSettings): PermittedUpstreams | null {
  const { upstream_allow: allow, upstream_deny: deny, auth_http } = settings;
  const isRemote = !isOnThisMachine(auth_http.host);
  if (!isRemote && deny.length === 0) return null;
  return new PermittedUpstreams([...rules(deny, false), ...rules(allow, true)], isRemote);
}

function isOnThisMachine(host: string): boolean {
  return unixPath(host) !== null || isLocalhost(host) || parseIp(host)?.range() === "loopback";
}

function rules(words: readonly string[], allows: boolean): readonly Rule[] {
  const directive = allows ? "upstream_allow" : "upstream_deny";
  return words.flatMap((word) =>
    (word === ALL ? ["0.0.0.0/0", "::/0"] : [word]).map((text) => ({
      network: network(text),
      allows,
      written: `${directive} ${word};`,
    })),
  );
}

export class PermittedUpstreams {
  /** The longest prefix first, and a denial before a permission. */
  readonly #rules: readonly Rule[];
  readonly #isRemote: boolean;

  /** @param isRemote true where the addresses that no remote endpoint has business with are refused as well */
  constructor(given: readonly Rule[], isRemote: boolean) {
    this.#rules = given.toSorted((one, other) => other.network.prefix - one.network.prefix);
    this.#isRemote = isRemote;
  }

  /** @returns why the server may not be dialled, or null */
  refusal(to: Address): string | null {
    const [ip, ...embedded] = addressesIn(to.host);
    // A name whose address only the outbound proxy will know.
    if (ip === undefined) return null;
    const why =
      this.#refuses(ip, false) ??
      embedded.map((one) => this.#refuses(one, true)).find((one) => one !== null);
    return why === undefined || why === null
      ? null
      : `upstream ${formatAddress(to)} is refused: ${why}`;
  }

  /** @param isInside true for an address inside another one, which `upstream_deny all` does not mean */
  #refuses(ip: Ip, isInside: boolean): string | null {
    const rule = this.#rules.find(
      ({ network: one, allows }) => contains(one, ip) && (allows || one.prefix > 0 || !isInside),
    );
    if (rule !== undefined) return rule.allows ? null : `"${rule.written}" forbids it`;
    const kind = this.#isRemote ? kindOf(ip) : null;
    if (kind === null) return null;
    return `a lookup endpoint elsewhere may not name a ${kind} address, unless "upstream_allow ${ip.toString()};" permits it`;
  }
}

const KINDS = Object.entries(REFUSED).map(
  ([kind, networks]) => [kind, networks.map(network)] as const,
);

function kindOf(ip: Ip): string | null {
  const found = KINDS.find(([, networks]) => networks.some((one) => contains(one, ip)));
  return found?.[0] ?? null;
}

/** The address that a host stands for, and the IPv4 address inside it; none for a name. */
function addressesIn(host: string): readonly Ip[] {
  if (isLocalhost(host)) return [ipaddr.IPv4.parse("127.0.0.1")];
  const ip = parseIp(host) ?? oldIpv4(host);
  if (ip === null) return [];
  if (ip.kind() === "ipv4" || contains(NOT_EMBEDDING, ip)) return [ip];
  const bytes = ip.toByteArray();
  if (EMBEDDING.some((one) => contains(one, ip))) return [ip, ipv4(bytes.slice(12))];
  return contains(SIX_TO_FOUR, ip) ? [ip, ipv4(bytes.slice(2, 6))] : [ip];
}

/** Reads the forms of inet_aton(3), such as `0x7f000001`, which the resolver of an outbound proxy may read as well. */
function oldIpv4(host: string): Ip | null {
  return ipaddr.IPv4.isValid(host) ? ipaddr.IPv4.parse(host) : null;
}

function ipv4(bytes: readonly number[]): Ip {
  return ipaddr.fromByteArray([...bytes]);
}

/** @throws Error for text that is no network, which the configuration has refused */
function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(`"${text}" is not a network`);
  return parsed;
}

/** Refuses forbidden addresses before they are dialled. @param permitted null where every address is permitted */
export function guarded(dialer: Dialer, permitted: PermittedUpstreams | null): Dialer {
  if (permitted === null) return dialer;
  return {
    ...dialer,
    dial: (to, receiver) => {
      const refusal = permitted.refusal(to);
      if (refusal !== null) throw new ForbiddenUpstream(refusal);
      return dialer.dial(to, receiver);
    },
  };
}
