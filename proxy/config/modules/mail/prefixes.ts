/** Ours: the networks by which clients count, as parameters of limits: `ipv4_prefix=32 ipv6_prefix=64,56*4,48*16`. */
import { ConfigError } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";

/** All clients whose addresses have the same first bits. */
export interface Prefix {
  /** bits */
  readonly length: number;
  /** The limit of such a network, in multiples of the written one. */
  readonly factor: number;
}

/** The networks of a client, each wider than the one before. A limit holds in all of them. */
export interface Prefixes {
  readonly ipv4: readonly Prefix[];
  readonly ipv6: readonly Prefix[];
}

/**
 * A client of IPv6 chooses among the addresses of a /64 at least, and often owns a /56 or a /48 (RFC 6177 section 2). So
 * these count together, with larger limits for the wider ones.
 */
export const IPV6_PREFIXES: readonly Prefix[] = [
  { length: 64, factor: 1 },
  { length: 56, factor: 4 },
  { length: 48, factor: 16 },
];

const FAMILIES = { ipv4: 32, ipv6: 128 } as const;

const MAX_FACTOR = 65_535;

/** @returns the prefixes with those of a parameter, or null where the parameter is another */
export function withPrefixes(
  prefixes: Prefixes,
  parameter: string,
  directive: Directive,
): Prefixes | null {
  const [, family, list] = /^(ipv4|ipv6)_prefix=(.*)$/.exec(parameter) ?? [];
  if ((family !== "ipv4" && family !== "ipv6") || list === undefined) return null;
  const read = list.split(",").map(prefix);
  const isGood = read.every(
    (one, index) => isWithin(one, FAMILIES[family]) && isWider(one, read[index - 1]),
  );
  if (!isGood) {
    const advice = `"${family}_prefix" takes lengths that fall, with factors that do not, such as 64,56*4,48*16`;
    throw new ConfigError(`invalid parameter "${parameter}"`, directive, advice);
  }
  return { ...prefixes, [family]: read };
}

function prefix(text: string): Prefix {
  const [, length, factor = "1"] = /^(\d{1,3})(?:\*(\d{1,5}))?$/.exec(text) ?? [];
  return { length: Number(length), factor: Number(factor) };
}

function isWithin({ length, factor }: Prefix, bits: number): boolean {
  return length >= 1 && length <= bits && factor >= 1 && factor <= MAX_FACTOR;
}

function isWider({ length, factor }: Prefix, before: Prefix | undefined): boolean {
  return before === undefined || (length < before.length && factor >= before.factor);
}
