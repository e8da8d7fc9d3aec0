/** Finds the user of a login: at the nearest replica, and before a refusal or a placement at the primary. */
import { type AddressRules, normalAddress } from "../directory/address.ts";
import { isKnownGood } from "../directory/known-networks.ts";
import type { DirectorySession } from "../directory/session.ts";
import { type FoundUser, findUser, type UserEntry } from "../directory/users.ts";
import { describe } from "../log/log.ts";
import type { LoginSource } from "../penalties/attempts.ts";
import { clientNetworks } from "../penalties/networks.ts";
import type { MethodVerdict, Verifier } from "./methods/index.ts";
import type { BlockedLookup } from "./decision.ts";
import type { ParsedLookup } from "./parse.ts";

export interface DirectorySessions {
  readonly nearest: DirectorySession;
  readonly primary: DirectorySession;
}

export interface FoundLogin extends FoundUser {
  readonly source: LoginSource;
}

/** The verdict on a login. */
export type LoginVerdict = MethodVerdict | BlockedLookup;

/** Characters of a name that failures are counted for: 64, an @ and 255 (RFC 5321 section 4.5.3.1). */
const MAX_ACCOUNT_LENGTH = 320;

export async function find(
  { login, terms }: Verifier,
  session: DirectorySession,
  { request: { client }, addresses }: { request: ParsedLookup; addresses: AddressRules },
): Promise<FoundLogin> {
  const address = normalAddress(login, addresses);
  const found = await findUser(session, address, client, terms);
  const { entry } = found;
  const name = address.slice(0, MAX_ACCOUNT_LENGTH);
  const source = {
    account: login === "" ? null : { user: entry?.user.address ?? name, login: name },
    networks: clientNetworks(client),
    known: isKnownGood(entry?.lastSuccess ?? null),
  };
  return { ...found, source };
}

interface ConfirmedVerdict<Found> {
  readonly found: Found;
  readonly verdict: LoginVerdict;
  /** The reason that the primary could not confirm the verdict; left out if it did. */
  readonly unconfirmed?: string;
}

/**
 * Verifies a login by the nearest replica's rows, and confirms a refusal at the primary: a password that was set a
 * second ago is right. A login that places its user is confirmed too, since a placement is permanent.
 *
 * Each refusal costs this second read, whether there is such a user or not, so that its time does not tell. The
 * login is verified again only if the primary's rows differ, so that a wrong guess costs no second hash.
 */
export async function confirm<Found extends FoundUser>(
  { nearest, primary }: DirectorySessions,
  findIn: (session: DirectorySession) => Promise<Found>,
  verify: (found: Found) => LoginVerdict | Promise<LoginVerdict>,
): Promise<ConfirmedVerdict<Found>> {
  const found = await findIn(nearest);
  const verdict = await verify(found);
  if (!nearest.mayBeStale || !mustBeConfirmed(verdict)) return { found, verdict };
  let current: Found;
  try {
    current = await findIn(primary);
  } catch (error) {
    return { found, verdict, unconfirmed: describe(error) };
  }
  if (decisiveColumns(current) !== decisiveColumns(found)) {
    return { found: current, verdict: await verify(current) };
  }
  const { entry } = current;
  const isVerified = verdict.kind === "verified" && entry !== null;
  return { found: current, verdict: isVerified ? { ...verdict, entry } : verdict };
}

function mustBeConfirmed(verdict: LoginVerdict): boolean {
  return verdict.kind === "refused" || (verdict.kind === "verified" && isToBePlaced(verdict.entry));
}

/** True if the user gets a server for good at this lookup. */
export function isToBePlaced({ user, group }: UserEntry): boolean {
  return user.server === null && group.storage === "own";
}

/** All columns that a verdict depends on, for any method. */
function decisiveColumns({ entry, admitted }: FoundUser): string {
  if (entry === null) return JSON.stringify([admitted]);
  const { user, appPassword, certified, ownSecret } = entry;
  const { address, passwordHash, enabled, imap, pop3, smtp } = user;
  const own = [address, passwordHash, enabled, imap, pop3, smtp];
  return JSON.stringify([admitted, own, appPassword, certified, ownSecret]);
}
