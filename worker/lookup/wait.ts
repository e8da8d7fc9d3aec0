/** From this attempt on a session is not worth going on with. */
const LAST_ATTEMPT = 5;

/**
 * How long a client that was refused waits for its answer.
 *
 * @returns seconds, doubling with each attempt; null from the fifth on, upon which nginx and Postern
 * answer at once and close the session
 */
export function waitAfter(attempt: number): number | null {
  return attempt < LAST_ATTEMPT ? 2 ** (attempt - 1) : null;
}
