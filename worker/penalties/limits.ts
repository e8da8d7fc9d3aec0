import type { FailureLimit } from "./counter.ts";
import type { CounterKind } from "./shards.ts";

/** Variables of `wrangler.toml`: whole numbers, as text. */
interface LimitVariables {
  readonly FAILURES_PER_ACCOUNT: string;
  readonly FAILURES_PER_NETWORK: string;
  /** Seconds. */
  readonly FAILURE_WINDOW: string;
}

/** Reads the limits. The defaults are 10 failures for an account and 30 for a network in 10 minutes. */
export function failureLimits(variables: LimitVariables): Record<CounterKind, FailureLimit> {
  const window = wholeNumber(variables.FAILURE_WINDOW, 600) * 1000;
  return {
    account: { failures: wholeNumber(variables.FAILURES_PER_ACCOUNT, 10), window },
    network: { failures: wholeNumber(variables.FAILURES_PER_NETWORK, 30), window },
  };
}

/** An environment without variables gets the default. */
function wholeNumber(text: string | undefined, defaultValue: number): number {
  return /^[1-9]\d{0,8}$/.test(text ?? "") ? Number(text) : defaultValue;
}
