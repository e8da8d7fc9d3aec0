/** The rate of guesses that penalties leave to an attacker, computed from the settings. */
import type { PenaltyLimits } from "./limits.ts";

/** The attacker's addresses, and the accounts that are guessed at. */
export interface Attack {
  readonly addresses: number;
  /**
   * `ipv4/24`, `ipv6/48`: all addresses are in one such network, each IPv6 one in a /64 of its own.
   * `spread`: each address is in a /24 or /48 of its own.
   */
  readonly from: "ipv4/24" | "ipv6/48" | "spread";
  readonly accounts: number;
  /** Login names of each account: the address and its aliases. */
  readonly names: number;
}

/** /64s in a /56, and /56s in a /48. */
const SUBNETS = 256;

/**
 * Computes the most guesses that are answered in a window and again in each later one, from networks in which the
 * accounts' users are not known. The others are told to come back later, whether they are right or wrong.
 *
 * An attacker who waits for a count to expire, and then makes all guesses of the next window at once, gets at most
 * twice as many, less one, within the length of one window.
 */
export function answeredPerWindow(attack: Attack, limits: PenaltyLimits): number {
  const { accounts, names } = attack;
  const atAccounts = accounts * Math.min(names * limits.account, limits.user);
  return Math.min(atAccounts, answeredFrom(attack, limits));
}

function answeredFrom({ addresses, from }: Attack, { networks }: PenaltyLimits): number {
  switch (from) {
    case "ipv4/24":
      return Math.min(Math.min(addresses, SUBNETS) * networks[32], networks[24]);
    case "ipv6/48": {
      const from56 = Math.min(addresses, SUBNETS) * networks[56];
      return Math.min(addresses * networks[64], from56, networks[48]);
    }
    case "spread":
      return addresses * networks[64];
  }
}
