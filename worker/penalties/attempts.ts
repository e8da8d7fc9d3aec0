/** Applies penalties to one login attempt, for its account and for its networks. */
import type { LimitedKey } from "./counter.ts";
import { permittedIn } from "./networks.ts";
import type { CounterKind } from "./shards.ts";
import type { PenaltyStore, Tally } from "./store.ts";

/** The account and the networks of an attempt. */
export interface LoginSource {
  /** Null if the client gave no name: strangers without a name have no count in common. */
  readonly account: LoginAccount | null;
  /** `clientNetworks`: the narrowest first, none if the client has no address. */
  readonly networks: readonly string[];
  /** True if the narrowest network is known good for this account. */
  readonly known: boolean;
}

/**
 * An account, and the name under which the client asks for it.
 *
 * The answer to a guess depends on the failures under the same name alone. If it depended on those under the user's
 * other names, then guesses at an alias would tell whose alias it is. The count of a user under all names has a higher
 * limit, so that aliases multiply the guesses at a password by no more than FAILURES_PER_USER / FAILURES_PER_ACCOUNT.
 * A client learns of it only when it has spent that many guesses on at least that many names of one user.
 */
interface LoginAccount {
  /** The user's address; for an unknown user, the same as `login`. */
  readonly user: string;
  /** The address that the client gave: the user's own, an alias, or one of no user. */
  readonly login: string;
}

/** `uncounted`: the attempt proves nothing, and is no guess either. */
export type AttemptResult = "succeeded" | "failed" | "uncounted";

/** A blocked attempt is told neither yes nor no. */
export interface AttemptPenalty {
  /** True if there were too many failures before this attempt. */
  readonly blocked: boolean;
  /** Failures divided by the permitted ones; 1 at the last permitted failure. */
  readonly failureRatio: number;
  /** True if the narrowest network is known good for the account from now on. */
  readonly trusted: boolean;
  /** True if this failure is the last one that the narrowest network permits, so that its block begins. */
  readonly blocksNetwork: boolean;
}

/** A right password from a network that is known good waits for no object. */
const SPARED: AttemptPenalty = {
  blocked: false,
  failureRatio: 0,
  trusted: true,
  blocksNetwork: false,
};

const NOTHING_COUNTED: Tally = { refused: false, ratios: [] };

/** True if this isolate met the block lately, so that the password need not be verified. */
export function isBlocked(store: PenaltyStore, source: LoginSource): boolean {
  const known = isKnown(store, source);
  return (
    accountKeys(store, source, known).some((key) => isCachedRefusal(store, "account", key)) ||
    networkKeys(store, source, known).some((key) => isCachedRefusal(store, "network", key))
  );
}

/** True if a client's networks are blocked. It costs a call to a Durable Object, and counts nothing. */
export async function isNetworkBlocked(
  store: PenaltyStore,
  networks: readonly string[],
): Promise<boolean> {
  const source = { account: null, networks, known: false };
  if (isBlocked(store, source)) return true;
  return (await countNetworks(store, source, false, false)).refused;
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
  const known = isKnown(store, source);
  const failed = result === "failed";
  if (known && !failed) return SPARED;
  const [ofAccount, ofNetworks] = await Promise.all([
    countAccount(store, source, known, failed),
    countNetworks(store, source, known, failed),
  ]);
  if (failed) store.sample(source.account?.login ?? "");
  // An attempt that one object refuses was no guess, so it must not count in the other: a blocked network could block
  // accounts, and a mail program with an old password could block its network.
  if (ofNetworks.refused && !ofAccount.refused) ofAccount.retract?.();
  if (ofAccount.refused && !ofNetworks.refused) ofNetworks.retract?.();
  const blocked = ofAccount.refused || ofNetworks.refused;
  const [ofName = 0, , ofPair = 1] = ofAccount.ratios;
  const [ofNetwork = 0] = ofNetworks.ratios;
  const trusted = ofPair < 1 && !blocked;
  const blocksNetwork = failed && !blocked && ofNetwork === 1;
  return known
    ? { blocked, failureRatio: Math.max(ofPair, ofNetwork), trusted, blocksNetwork }
    : {
        blocked,
        blocksNetwork,
        failureRatio: Math.max(ofName, ...ofNetworks.ratios),
        // A blocked client must not learn whether the password was right from its network's later treatment.
        trusted: trusted && result === "succeeded",
      };
}

/**
 * True if the narrowest network is known good for the account. The directory's row may outlast the network's trust for
 * a moment, so the cache is asked too.
 */
export function isKnown(store: PenaltyStore, source: LoginSource): boolean {
  if (!source.known || source.account === null || source.networks.length === 0) return false;
  return !accountKeys(store, source, true).some((key) => isCachedRefusal(store, "account", key));
}

function isCachedRefusal(store: PenaltyStore, kind: CounterKind, key: LimitedKey): boolean {
  return key.effect === "refuse" && store.hasCachedBlock(kind, key);
}

async function countAccount(
  store: PenaltyStore,
  source: LoginSource,
  known: boolean,
  failed: boolean,
): Promise<Tally> {
  const { account } = source;
  if (account === null) return NOTHING_COUNTED;
  return store.count("account", account.user, accountKeys(store, source, known), failed);
}

/** One object counts for all networks of a client, so the widest chooses it. */
async function countNetworks(
  store: PenaltyStore,
  source: LoginSource,
  known: boolean,
  failed: boolean,
): Promise<Tally> {
  const widest = source.networks.at(-1);
  if (widest === undefined) return NOTHING_COUNTED;
  return store.count("network", widest, networkKeys(store, source, known), failed);
}

/** The counts of the name, of the user, and of the pair of name and network. A known network is spared the former. */
function accountKeys(
  { limits }: PenaltyStore,
  { account, networks: [network] }: LoginSource,
  known: boolean,
): readonly LimitedKey[] {
  if (account === null) return [];
  const { user: name, login } = account;
  const effect = known ? "add" : "refuse";
  const ofName = { name, login, network: "", permitted: limits.account, effect } as const;
  const ofUser = { name, login: "", network: "", permitted: limits.user, effect } as const;
  if (network === undefined) return [ofName, ofUser];
  const ofPair = { ...ofName, network, effect: known ? "refuse" : "read" } as const;
  return [ofName, ofUser, ofPair];
}

/**
 * The counts of the client's networks.
 *
 * A network that is known good is refused for its own failures, and not for those of its neighbours in the wider ones:
 * an attacker in the neighbourhood could otherwise lock out the users of a whole provider.
 */
function networkKeys(
  { limits }: PenaltyStore,
  { networks }: LoginSource,
  known: boolean,
): readonly LimitedKey[] {
  return networks.map((name, index) => {
    const effect = known && index > 0 ? "add" : "refuse";
    return { name, login: "", network: "", permitted: permittedIn(name, limits), effect };
  });
}
