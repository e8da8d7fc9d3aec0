/**
 * Penalties: who fails to log in too often waits, and is then told to come back later.
 *
 * Failures are counted for the account and for the client's network. What counts is a wrong password,
 * or any password of an unknown user; not a malformed lookup, not the right password of a user or for a
 * protocol that is disabled, and not the digest of a password where none is kept to compare it with.
 */
export { type Claimant, isTurnedAway, judge, type Trial } from "./attempts.ts";
export { Penalties } from "./penalties.ts";
export { rules } from "./limits.ts";
export { Standings } from "./store.ts";
