/** Verifies the client's credentials, unless its network is denied or a block is known. */
import { findUser } from "../directory/users.ts";
import type { HashClient } from "../passwords/hash-queue.ts";
import {
  isBlocked,
  isKnown,
  isNetworkBlocked,
  isUnderAttack,
  type LoginSource,
} from "../penalties/index.ts";
import { clientNetworks } from "../penalties/networks.ts";
import type { LookupContext } from "./context.ts";
import type { FoundLogin, LoginVerdict } from "./find.ts";
import type { RefusedLookup, Verifier } from "./methods/index.ts";
import { type BlockedLookup, NOT_ADMITTED } from "./decision.ts";

/**
 * The verdict on a login without a name from a blocked or denied network; null for any other login.
 *
 * The token of such a login is verified to find its user, so the client would otherwise cost the provider a request
 * each time. Only such a login asks the Durable Object and the rules for networks first.
 */
export async function refuseWithoutName({
  request: { login, client },
  penalties,
  nearest,
}: LookupContext): Promise<BlockedLookup | RefusedLookup | null> {
  if (login !== "") return null;
  if (await isNetworkBlocked(penalties, clientNetworks(client))) return { kind: "blocked" };
  const { admitted } = await findUser(nearest, login, client);
  return admitted ? null : NOT_ADMITTED;
}

export async function verify(
  verifier: Verifier,
  { entry, admitted, source }: FoundLogin,
  { penalties }: LookupContext,
): Promise<LoginVerdict> {
  if (!admitted) return NOT_ADMITTED;
  if (isBlocked(penalties, source)) return { kind: "blocked" };
  return verifier.verify(entry, { networks: source.networks, trust: trustIn(source, penalties) });
}

function trustIn(source: LoginSource, penalties: LookupContext["penalties"]): HashClient["trust"] {
  if (isKnown(penalties, source)) return "known";
  return isUnderAttack(source.account?.login ?? "") ? "suspect" : "unknown";
}
