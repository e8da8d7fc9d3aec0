/** A session ends at this attempt. */
const LAST_ATTEMPT = 5;

/** Seconds. */
const MAX_WAIT = 15;

/**
 * Computes how long a refused client waits.
 *
 * @param attempt the number of the attempt in its session, from 1
 * @param failureRatio failures divided by the permitted ones, from 0 to 1
 * @returns seconds, doubled at each attempt, or at each fifth of the permitted failures if that is longer; null at
 * the fifth attempt of a session and at the last permitted failure, upon which nginx and Postern answer at once
 * and close the session
 */
export function waitAfter(attempt: number, failureRatio = 0): number | null {
  if (attempt >= LAST_ATTEMPT || failureRatio >= 1) return null;
  return Math.min(MAX_WAIT, 2 ** Math.max(attempt - 1, Math.floor(failureRatio * 5)));
}
