/** Is the client who they say they are? Asked under the penalties for having said so falsely. */
import { clientNetwork } from "../../shared/address.ts";
import { isUnnoted, noteUse } from "../directory/app-passwords.ts";
import { normalAddress } from "../directory/address.ts";
import { forgetNetwork, isKnownGood, isStale, noteSuccess } from "../directory/known-networks.ts";
import { type Entry, findUser, replaceHash } from "../directory/users.ts";
import { describe, logError } from "../log.ts";
import { hashPassword } from "../passwords/schemes/argon2id.ts";
import {
  type Claimant,
  isTurnedAway,
  judge,
  type Standings,
  type Trial,
} from "../penalties/index.ts";
import { type LoginMethod, METHODS, type Proved } from "./methods/index.ts";
import { type Blocked, NOT_ADMITTED, type Refused } from "./result.ts";
import type { LookupRequest } from "./parse.ts";
import type { Resources } from "./resources.ts";
import { decideTwice, type Readings, type Verdict } from "./find.ts";

/** What a login is decided with. */
export interface Surroundings extends Resources, Readings {
  readonly standings: Standings;
  /** Sees to it that work is done although nobody waits for it. */
  readonly keep: (work: Promise<unknown>) => void;
}

interface Login {
  /** Null where there is no such user. */
  readonly entry: Entry | null;
  readonly verdict: Verdict;
}

const BLOCKED: Blocked = { kind: "blocked" };

/** Characters of a name that failures are counted for: 64, an @ and 255 (RFC 5321 section 4.5.3.1). */
const LONGEST_ACCOUNT = 320;

export async function authenticate(
  method: LoginMethod,
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Login> {
  const { standings, addresses } = surroundings;
  const attempt = await METHODS[method](request, surroundings);
  const address = normalAddress(attempt.login, addresses);
  const network = request.client === null ? null : clientNetwork(request.client);
  const claimantOf = (entry: Entry | null): Claimant => ({
    account: (entry?.user.address ?? address).slice(0, LONGEST_ACCOUNT),
    network,
    known: isKnownGood(entry?.lastSuccess ?? null),
  });
  const { found, verdict, unconfirmed } = await decideTwice(
    surroundings,
    (reading) => findUser(reading, address, request.client, attempt.presented),
    ({ entry, admitted }) => {
      if (!admitted) return NOT_ADMITTED;
      return isTurnedAway(standings, claimantOf(entry)) ? BLOCKED : attempt.verify(entry);
    },
  );
  const { entry } = found;
  const judged = await underPenalties(verdict, entry, claimantOf(entry), surroundings);
  if (unconfirmed === undefined || judged.kind !== "refused") return { entry, verdict: judged };
  return { entry, verdict: { kind: "unavailable", reason: unconfirmed } };
}

/** Counts what has failed, and notes what has not. */
async function underPenalties(
  verdict: Verdict,
  entry: Entry | null,
  claimant: Claimant,
  surroundings: Surroundings,
): Promise<Verdict> {
  if (verdict.kind === "blocked" || verdict.kind === "unavailable") return verdict;
  if (verdict === NOT_ADMITTED) return verdict;
  const trial = trialOf(verdict);
  const { blocked, pressure, trusted } = await judge(surroundings.standings, claimant, trial);
  const { network, known } = claimant;
  if (entry !== null && network !== null) {
    if (known && !trusted) forget(entry, network, surroundings);
    if (trial === "proved" && trusted) note(entry, network, surroundings);
  }
  if (blocked) return BLOCKED;
  if (verdict.kind === "refused") return { ...verdict, pressure };
  noteAppPassword(verdict.entry, surroundings);
  renewHash(verdict, surroundings);
  return verdict;
}

/** What is not verified is no guess, and does not count. */
function trialOf(verified: Proved | Refused): Trial {
  if (verified.kind === "proved") return "proved";
  return verified.reason === "wrong-credentials" ? "failed" : "unproved";
}

/** Too many have failed from there: it is a network like any other again. */
function forget({ user }: Entry, network: string, { directory, keep }: Surroundings): void {
  keep(forgetNetwork(directory, user.address, network).catch(logUnwritten));
}

function note({ user, lastSuccess }: Entry, network: string, around: Surroundings): void {
  if (!isStale(lastSuccess)) return;
  around.keep(noteSuccess(around.directory, user.address, network).catch(logUnwritten));
}

function noteAppPassword({ appPassword }: Entry, { directory, keep }: Surroundings): void {
  if (appPassword === null || !isUnnoted(appPassword)) return;
  keep(
    noteUse(directory, appPassword).catch((error: unknown) => {
      logError(`the use of an app password was not written: ${describe(error)}`);
    }),
  );
}

/** Now that the password is known, and right, it is kept as well as a new one would be. */
function renewHash({ entry, weaklyKept }: Proved, { directory, keep }: Surroundings): void {
  if (weaklyKept === undefined) return;
  const { address, passwordHash } = entry.user;
  const renewed = async (): Promise<void> => {
    await replaceHash(directory, address, passwordHash, hashPassword(weaklyKept));
  };
  keep(
    renewed().catch((error: unknown) => {
      logError(`a password hash was not renewed: ${describe(error)}`);
    }),
  );
}

function logUnwritten(error: unknown): void {
  logError(`what is known of a client's network was not written: ${describe(error)}`);
}
