import type { Rule } from "./counter.ts";
import type { Kind } from "./shards.ts";

/** The variables of `wrangler.toml`: whole numbers, as text. */
interface Variables {
  readonly FAILURES_PER_ACCOUNT: string;
  readonly FAILURES_PER_NETWORK: string;
  /** Seconds. */
  readonly FAILURE_WINDOW: string;
}

/** What is too much; 10 failures for an account and 30 for a network in 10 minutes, unless set otherwise. */
export function rules(variables: Variables): Record<Kind, Rule> {
  const window = wholeNumber(variables.FAILURE_WINDOW, 600) * 1000;
  return {
    account: { failures: wholeNumber(variables.FAILURES_PER_ACCOUNT, 10), window },
    network: { failures: wholeNumber(variables.FAILURES_PER_NETWORK, 30), window },
  };
}

/** Where there is none, as in an environment without its own variables, the default is taken. */
function wholeNumber(text: string | undefined, otherwise: number): number {
  return /^[1-9]\d{0,8}$/.test(text ?? "") ? Number(text) : otherwise;
}
