/**
 * Patterns of hosts, in the language of Java's `nonProxyHosts`, and beyond it as mail administrators write
 * them: `localhost|127.0.0.0/8|[::1]|*.example.com`.
 */
import { type Network, contains, parseIp, parseNetwork } from "./address.ts";

/** One of them, ready to compare: a network, or text that a name is, or has where the pattern has no `*`. */
type HostPattern = { readonly network: Network } | NamePattern;

interface NamePattern {
  readonly text: string;
  readonly open: "start" | "end" | "both" | "neither";
}

/** Octets of a name without its last dot (RFC 1035 section 2.3.4). */
const LONGEST_NAME = 253;

/**
 * A host name in the one form in which names are compared and sent: as DNS has it (IDNA), in lower case,
 * without the root's dot.
 *
 * @returns null for what is no name: an address, in any of its forms, or text that no name can hold
 */
export function canonicalName(text: string): string | null {
  const name = ascii(text)?.replace(/\.$/, "") ?? "";
  if (name.length > LONGEST_NAME || !/^[\w-]+(?:\.[\w-]+)*$/.test(name)) return null;
  // Programs take `10.1` and `0x7f.1` for addresses, whatever DNS may have (RFC 3696 section 2).
  return /(?:^|\.)(?:\d+|0x[\da-f]*)$/.test(name) ? null : name;
}

/** The patterns of a list with `|` between them. */
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
  /** Whether the addresses of a name say more than the name. */
  readonly wantAddresses: boolean;

  /** @param texts those that are no pattern match nothing */
  constructor(texts: readonly string[]) {
    this.#patterns = texts.map(parse).filter((pattern) => pattern !== null);
    this.wantAddresses = this.#patterns.some((pattern) => "network" in pattern);
  }

  /**
   * Whether one of them fits.
   *
   * @param host a name, or an address without brackets
   * @param addresses of a name, as far as they are known
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

/** Lower case, and what is beyond ASCII as DNS has it; null where that cannot be. */
function ascii(text: string): string | null {
  if (/^[!-~]*$/.test(text)) return text.toLowerCase();
  // What would end a URL's host, or be dropped from it.
  if (/[\s/:?#@\\%[\]]/.test(text)) return null;
  try {
    return new URL(`http://${text}`).hostname;
  } catch {
    return null;
  }
}
