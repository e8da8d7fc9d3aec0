/** Is the client who they say they are? Asked under the penalties for having said so falsely. */
import { clientNetwork } from "../../shared/address.ts";
import { normalAddress } from "../directory/address.ts";
import { forgetNetwork, isKnownGood, isStale, noteSuccess } from "../directory/known-networks.ts";
import { type Directory, type Entry, findUser } from "../directory/users.ts";
import { describe, logError } from "../log.ts";
import type { PasswordScheme } from "../passwords/scheme.ts";
import { isTurnedAway, judge, type Standings, type Trial } from "../penalties/index.ts";
import { type LoginMethod, METHODS, type Proved } from "./methods.ts";
import type { Blocked, Refused, Unavailable } from "./outcome.ts";
import type { LookupRequest } from "./request.ts";

/** What a login is decided with. */
export interface Surroundings {
  readonly directory: Directory;
  readonly standings: Standings;
  /** For a bare user name; empty to leave it bare. */
  readonly defaultDomain: string;
  /** In which passwords may be stored. */
  readonly schemes: readonly PasswordScheme[];
  /** Sees to it that work is done although nobody waits for it. */
  readonly keep: (work: Promise<unknown>) => void;
}

/** Characters of a name that failures are counted for: 64, an @ and 255 (RFC 5321 section 4.5.3.1). */
const LONGEST_ACCOUNT = 320;

export async function authenticate(
  method: LoginMethod,
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Proved | Refused | Blocked | Unavailable> {
  const { directory, standings, defaultDomain, schemes } = surroundings;
  const address = normalAddress(request.login, defaultDomain);
  const { entry, admitted } = await findUser(directory, address, request.client);
  if (!admitted) return { kind: "refused", reason: "not-admitted" };
  const network = request.client === null ? null : clientNetwork(request.client);
  const account = (entry?.user.address ?? address).slice(0, LONGEST_ACCOUNT);
  const claimant = { account, network, known: isKnownGood(entry?.lastSuccess ?? null) };
  if (isTurnedAway(standings, claimant)) return { kind: "blocked" };

  const verified = await METHODS[method](request, entry, schemes);
  if (verified.kind === "unavailable") return verified;
  const { blocked, pressure, trusted } = await judge(standings, claimant, trialOf(verified));
  if (entry !== null && network !== null) {
    if (claimant.known && !trusted) forget(entry, network, surroundings);
    if (verified.kind === "proved" && trusted) note(entry, network, surroundings);
  }
  if (blocked) return { kind: "blocked" };
  return verified.kind === "proved" ? verified : { ...verified, pressure };
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

function logUnwritten(error: unknown): void {
  logError(`what is known of a client's network was not written: ${describe(error)}`);
}
