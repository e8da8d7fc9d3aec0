/**
 * Penalties for failed logins: growing delays, then blocks that expire.
 *
 * Failures are counted for the account and for the client's networks, the narrow one and the wider ones. A wrong
 * password or digest counts, and so does any password or digest of an unknown user, and any digest of a user without a
 * sealed password. Not counted are: a malformed lookup, the right password of a disabled user or for a disabled
 * protocol, and an attempt that is refused because of a block.
 */
export {
  type AttemptResult,
  countAttempt,
  isBlocked,
  isKnown,
  isNetworkBlocked,
  type LoginSource,
} from "./attempts.ts";
export { isUnderAttack } from "./alarms.ts";
export { Penalties } from "./penalties.ts";
export { penaltyLimits } from "./limits.ts";
export { PenaltyStore } from "./store.ts";
export { waitAfter } from "./wait.ts";
