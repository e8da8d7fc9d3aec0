/** From this attempt on a session is not worth going on with. */
const LAST_ATTEMPT = 5;

/** Seconds. */
const LONGEST = 15;

/**
 * How long a client that was refused waits for its answer.
 *
 * @param attempt which one of its session, from 1
 * @param pressure how much of the failures that are permitted is used up, from 0 to 1
 * @returns seconds, doubling with each attempt, or each fifth of the failures if that is longer; null
 * at a session's fifth attempt and at the last permitted failure, upon which nginx and Postern answer at
 * once and close the session
 */
export function waitAfter(attempt: number, pressure = 0): number | null {
  if (attempt >= LAST_ATTEMPT || pressure >= 1) return null;
  return Math.min(LONGEST, 2 ** Math.max(attempt - 1, Math.floor(pressure * 5)));
}
