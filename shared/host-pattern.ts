/**
 * Host patterns: Java's `nonProxyHosts`, with networks and addresses in addition, as in
 * `localhost|127.0.0.0/8|[::1]|*.example.com`.
 */
import { type Network, contains, parseIp, parseNetwork } from "./address.ts";
import { idnaName } from "./idna.ts";

/** A parsed pattern. */
type HostPattern = { readonly network: Network } | NamePattern;

interface NamePattern {
  /** The pattern without its `*`. */
  readonly text: string;
  /** The side on which the pattern has a `*`. */
  readonly open: "start" | "end" | "both" | "neither";
}

/** Octets in a name without its last dot (RFC 1035 section 2.3.4). */
const MAX_NAME_LENGTH = 253;

/**
 * Puts a host name into the form in which names are compared and sent: IDNA, lower case, no final dot.
 *
 * @returns null if the text is an address, in any of its forms, or cannot be a name
 */
export function canonicalName(text: string): string | null {
  const name = ascii(text)?.replace(/\.$/, "") ?? "";
  if (name.length > MAX_NAME_LENGTH || !/^[\w-]+(?:\.[\w-]+)*$/.test(name)) return null;
  // Programs read `10.1` and `0x7f.1` as addresses, even if DNS has such names (RFC 3696 section 2).
  return /(?:^|\.)(?:\d+|0x[\da-f]*)$/.test(name) ? null : name;
}

/** Splits a list at `|`. */
export function splitPatterns(list: string): readonly string[] {
  return list
    .split("|")
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "");
}

export function isHostPattern(text: string): boolean {
  return parse(text) !== null;
}

export class HostPatterns {
  readonly #patterns: readonly HostPattern[];
  /** True if a pattern is a network, so that a name's addresses matter. */
  readonly wantAddresses: boolean;

  /** @param texts an invalid pattern matches nothing */
  constructor(texts: readonly string[]) {
    this.#patterns = texts.map(parse).filter((pattern) => pattern !== null);
    this.wantAddresses = this.#patterns.some((pattern) => "network" in pattern);
  }

  /**
   * True if a pattern matches.
   *
   * @param host a name, or an address without brackets
   * @param addresses the known addresses of a name
   */
  match(host: string, addresses: readonly string[] = []): boolean {
    const name = parseIp(host)?.toString() ?? canonicalName(host) ?? host;
    const ips = [host, ...addresses].map(parseIp).filter((ip) => ip !== null);
    return this.#patterns.some((pattern) =>
      "network" in pattern
        ? ips.some((ip) => contains(pattern.network, ip))
        : matches(pattern, name),
    );
  }
}

function matches({ text, open }: NamePattern, name: string): boolean {
  switch (open) {
    case "start":
      return name.endsWith(text);
    case "end":
      return name.startsWith(text);
    case "both":
      return name.includes(text);
    case "neither":
      return name === text;
  }
}

function parse(pattern: string): HostPattern | null {
  const network = parseNetwork(pattern.replace(/^\[([^\]]*)\]$|^\[([^\]]*)\](?=\/)/, "$1$2"));
  if (network !== null) return { network };
  const [, before, part, after] = /^(\*?)([^*]*)(\*?)$/.exec(pattern) ?? [];
  if (part === undefined) return null;
  if (before === "" && after === "") {
    const name = canonicalName(part);
    return name === null ? null : { text: name, open: "neither" };
  }
  const text = ascii(after === "" ? part.replace(/\.$/, "") : part);
  if (text === null || !/^[\w.:-]*$/.test(text)) return null;
  return { text, open: after === "" ? "start" : before === "" ? "end" : "both" };
}

/** Lower case, with IDNA's form of characters outside ASCII; null if there is no such form. */
function ascii(text: string): string | null {
  return /^[!-~]*$/.test(text) ? text.toLowerCase() : idnaName(text);
}
