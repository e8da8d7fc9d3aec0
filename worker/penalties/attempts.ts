/** Whether a client may go on trying to log in. */
import type { Standing, Standings } from "./store.ts";

/** Who tries to log in, as far as penalties are concerned. */
export interface Claimant {
  /** The user's address; for an unknown user, what was asked for. */
  readonly account: string;
  /** The client's (`clientNetwork`); null if it has no address. */
  readonly network: string | null;
  /** Whether the network is known good for this account. */
  readonly known: boolean;
}

/** `unproved`: nothing was tried that could be right or wrong. */
export type Trial = "proved" | "failed" | "unproved";

/** `blocked`: this try is told neither yes nor no. */
export interface Judgement extends Standing {
  /** Whether the network is known good for the account from now on. */
  readonly trusted: boolean;
}

/** Failures from wherever they come. */
const ANYWHERE = "";

/** Whether a block was met lately, so that the password need not be looked at. */
export function isTurnedAway(standings: Standings, claimant: Claimant): boolean {
  const { account, network } = claimant;
  if (isKnown(standings, claimant)) return false;
  return (
    standings.exhausted("account", account) ||
    (network !== null && standings.exhausted("network", network))
  );
}

/**
 * Counts a failure, and tells what comes of this try.
 *
 * Called when the password has been looked at: of any number of guesses at the same moment, only as
 * many are answered as are permitted. A success takes nothing back, or who attacks from an account of
 * their own would begin anew with each login.
 */
export async function judge(
  standings: Standings,
  claimant: Claimant,
  trial: Trial,
): Promise<Judgement> {
  const { account, network } = claimant;
  const known = isKnown(standings, claimant);
  const failed = trial === "failed";
  if (known && !failed) return { blocked: false, pressure: 0, trusted: true };
  // What fails from a network that is not known good is not held against the two together.
  const origins = network === null || (failed && !known) ? [ANYWHERE] : [ANYWHERE, network];
  const [[ofAccount, ofBoth], [ofNetwork]] = await Promise.all([
    standings.ask("account", account, origins, failed),
    network === null ? [] : standings.ask("network", network, [ANYWHERE], failed),
  ]);
  const trusted = ofBoth !== undefined && ofBoth.pressure < 1;
  if (known) return { blocked: false, pressure: ofBoth?.pressure ?? 0, trusted };
  const both = [ofAccount, ofNetwork].filter((standing) => standing !== undefined);
  const blocked = both.some((standing) => standing.blocked);
  return {
    blocked,
    pressure: Math.max(0, ...both.map(({ pressure }) => pressure)),
    // Who is told neither yes nor no must not learn it from what the network may do afterwards.
    trusted: trusted && trial === "proved" && !blocked,
  };
}

/** The directory's row may be there for a moment longer than the privilege. */
function isKnown(standings: Standings, { account, network, known }: Claimant): boolean {
  return known && network !== null && !standings.exhausted("account", account, network);
}
