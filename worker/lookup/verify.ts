/** Verifies the client's credentials, unless its network is denied or a block is known. */
import type { HashClient } from "../passwords/hash-queue.ts";
import { isBlocked, isKnown, isUnderAttack, type LoginSource } from "../penalties/index.ts";
import type { LookupContext } from "./context.ts";
import type { FoundLogin, LoginVerdict } from "./find.ts";
import type { Verifier } from "./methods/index.ts";
import { NOT_ADMITTED } from "./decision.ts";

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
