/** A login is decided where the directory is nearest; but no refusal rests on a replica's word alone. */
import type { Reading } from "../directory/session.ts";
import type { Found } from "../directory/users.ts";
import { describe } from "../log.ts";
import type { Proved } from "./methods/index.ts";
import type { Blocked, Refused, Unavailable } from "./result.ts";

export type Verdict = Proved | Refused | Blocked | Unavailable;

export interface Readings {
  readonly nearest: Reading;
  readonly primary: Reading;
}

interface Decided {
  readonly found: Found;
  readonly verdict: Verdict;
  /** Why the primary could not be asked about a refusal, which must not be told then. */
  readonly unconfirmed?: string;
}

/**
 * Decides, and where a replica's rows lead to a refusal asks the primary for them too: a password that was set
 * a second ago is right.
 *
 * Every refusal costs that second look, whether there is such a user or not, so that its time does not tell.
 * It is decided anew only if the primary knows otherwise, so that a wrong guess buys no second hash.
 */
export async function decideTwice(
  { nearest, primary }: Readings,
  find: (reading: Reading) => Promise<Found>,
  decide: (found: Found) => Verdict | Promise<Verdict>,
): Promise<Decided> {
  const found = await find(nearest);
  const verdict = await decide(found);
  if (verdict.kind !== "refused" || !nearest.mayBeBehind) return { found, verdict };
  let current: Found;
  try {
    current = await find(primary);
  } catch (error) {
    return { found, verdict, unconfirmed: describe(error) };
  }
  const same = grounds(current) === grounds(found);
  return { found: current, verdict: same ? verdict : await decide(current) };
}

/** All that a login is decided by, whatever its method. */
function grounds({ entry, admitted }: Found): string {
  if (entry === null) return JSON.stringify([admitted]);
  const { user, appPassword, certified, ownSecret } = entry;
  const { address, passwordHash, enabled, imap, pop3, smtp } = user;
  const own = [address, passwordHash, enabled, imap, pop3, smtp];
  return JSON.stringify([admitted, own, appPassword, certified, ownSecret]);
}
