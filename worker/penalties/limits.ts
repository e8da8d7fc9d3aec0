/** The permitted numbers of failed logins. */

/** Variables of `wrangler.toml`: whole numbers, as text. */
interface LimitVariables {
  readonly FAILURES_PER_ACCOUNT: string;
  readonly FAILURES_PER_USER: string;
  readonly FAILURES_PER_NETWORK: string;
  readonly FAILURES_PER_IPV4_24: string;
  readonly FAILURES_PER_IPV6_56: string;
  readonly FAILURES_PER_IPV6_48: string;
  readonly FAILURES_PER_DOMAIN: string;
  readonly FAILURES_IN_ALL: string;
  /** Seconds. */
  readonly FAILURE_WINDOW: string;
}

/** Bits of a network in which failures are counted: IPv4 /32 and /24, IPv6 /64, /56 and /48. */
export type ClientPrefix = 32 | 24 | 64 | 56 | 48;

export interface PenaltyLimits {
  /** ms that failures count, from the first of them, and that a block lasts, from the last of them. */
  readonly window: number;
  /** Under one login name. */
  readonly account: number;
  /** Under all names of a user. */
  readonly user: number;
  /** From a network with this many bits of prefix. */
  readonly networks: Readonly<Record<ClientPrefix, number>>;
  /** For all logins of a domain. More raise an alarm, and refuse no login. */
  readonly domain: number;
  /** For all logins, likewise. */
  readonly all: number;
}

/**
 * Reads the limits.
 *
 * A wider network permits at least as many failures as a narrower one, and a user at least as many as one of their
 * names, so that raising one variable has an effect.
 */
export function penaltyLimits(variables: LimitVariables): PenaltyLimits {
  const account = wholeNumber(variables.FAILURES_PER_ACCOUNT, 10);
  const network = wholeNumber(variables.FAILURES_PER_NETWORK, 30);
  const ipv6of56 = Math.max(network, wholeNumber(variables.FAILURES_PER_IPV6_56, 60));
  const ipv6of48 = Math.max(ipv6of56, wholeNumber(variables.FAILURES_PER_IPV6_48, 120));
  const ipv4of24 = Math.max(network, wholeNumber(variables.FAILURES_PER_IPV4_24, 120));
  return {
    window: wholeNumber(variables.FAILURE_WINDOW, 600) * 1000,
    account,
    user: Math.max(account, wholeNumber(variables.FAILURES_PER_USER, 30)),
    networks: { 32: network, 24: ipv4of24, 64: network, 56: ipv6of56, 48: ipv6of48 },
    domain: wholeNumber(variables.FAILURES_PER_DOMAIN, 2000),
    all: wholeNumber(variables.FAILURES_IN_ALL, 20_000),
  };
}

/** An environment without variables gets the default. */
function wholeNumber(text: string | undefined, defaultValue: number): number {
  return /^[1-9]\d{0,8}$/.test(text ?? "") ? Number(text) : defaultValue;
}
