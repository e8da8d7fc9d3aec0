/** Verifies the client's credentials, unless its network is denied or a block is known. */
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
import type { Verifier } from "./methods/index.ts";
import { NOT_ADMITTED } from "./decision.ts";

/**
 * True for a login without a name from a blocked network.
 *
 * The token of such a login is verified to find its user, so a blocked client would otherwise cost the provider a
 * request each time. Only such a login asks the Durable Object first.
 */
export async function isBlockedWithoutName({
  request: { login, client },
  penalties,
}: LookupContext): Promise<boolean> {
  return login === "" && (await isNetworkBlocked(penalties, clientNetworks(client)));
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
