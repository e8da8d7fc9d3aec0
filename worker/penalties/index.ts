/**
 * Penalties for failed logins: growing delays, then blocks that expire.
 *
 * Failures are counted for the account and for the client's network. A wrong password counts, and so does any
 * password of an unknown user. Not counted are: a malformed lookup, the right password of a disabled user or for a
 * disabled protocol, and a digest of a password where no password is kept to compare it with.
 */
export { type AttemptResult, countAttempt, isBlocked } from "./attempts.ts";
export { Penalties } from "./penalties.ts";
export { failureLimits } from "./limits.ts";
export { PenaltyStore } from "./store.ts";
export { waitAfter } from "./wait.ts";
