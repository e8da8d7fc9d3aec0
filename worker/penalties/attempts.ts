/** Applies penalties to one login attempt, for its account and for its network. */
import type { Penalty, PenaltyStore } from "./store.ts";

/** The account and the network of an attempt. */
export interface LoginSource {
  /** The user's address; for an unknown user, the address that the client gave. */
  readonly account: string;
  /** The client's network (`clientNetwork`); null if the client has no address. */
  readonly network: string | null;
  /** True if the network is known good for this account. */
  readonly known: boolean;
}

/** `uncounted`: the attempt proves nothing, and is no guess either. */
export type AttemptResult = "succeeded" | "failed" | "uncounted";

/** A blocked attempt is told neither yes nor no. */
export interface AttemptPenalty extends Penalty {
  /** True if the network is known good for the account from now on. */
  readonly trusted: boolean;
}

/** Counts failures from all networks. */
const ANYWHERE = "";

/** True if this isolate met the block lately, so that the password need not be verified. */
export function isBlocked(store: PenaltyStore, source: LoginSource): boolean {
  const { account, network } = source;
  if (isKnown(store, source)) return false;
  return (
    store.hasCachedBlock("account", account) ||
    (network !== null && store.hasCachedBlock("network", network))
  );
}

/**
 * Counts a failure, and returns the penalty of this attempt.
 *
 * The caller has verified the password already. So of any number of simultaneous guesses, only as many are
 * answered as are permitted. A success resets nothing: otherwise an attacker could log in to an account of their
 * own to begin anew.
 */
export async function countAttempt(
  store: PenaltyStore,
  source: LoginSource,
  result: AttemptResult,
): Promise<AttemptPenalty> {
  const { account, network } = source;
  const known = isKnown(store, source);
  const failed = result === "failed";
  if (known && !failed) return { blocked: false, failureRatio: 0, trusted: true };
  // A failure from a network that is not known good does not count for the pair of account and network.
  const origins = network === null || (failed && !known) ? [ANYWHERE] : [ANYWHERE, network];
  const [[ofAccount, ofPair], [ofNetwork]] = await Promise.all([
    store.count("account", account, origins, failed),
    network === null ? [] : store.count("network", network, [ANYWHERE], failed),
  ]);
  const trusted = ofPair !== undefined && ofPair.failureRatio < 1;
  if (known) return { blocked: false, failureRatio: ofPair?.failureRatio ?? 0, trusted };
  const penalties = [ofAccount, ofNetwork].filter((penalty) => penalty !== undefined);
  const blocked = penalties.some((penalty) => penalty.blocked);
  return {
    blocked,
    failureRatio: Math.max(0, ...penalties.map(({ failureRatio }) => failureRatio)),
    // A blocked client must not learn whether the password was right from its network's later treatment.
    trusted: trusted && result === "succeeded" && !blocked,
  };
}

/** The directory's row may outlast the network's trust for a moment, so the cache is asked too. */
function isKnown(store: PenaltyStore, { account, network, known }: LoginSource): boolean {
  return known && network !== null && !store.hasCachedBlock("account", account, network);
}
