/** Why a name or an address could not be resolved, in nginx's words. */

export const SERVFAIL = 2;
/** There is no such name, or nothing of the kind that was asked for. */
export const NXDOMAIN = 3;
/** Not a server's codes but ours; the numbers are Linux's. */
export const BUSY = 11;
export const TIMED_OUT = 110;

const WORDS: ReadonlyMap<number, string> = new Map([
  [SERVFAIL, "Server failure"],
  [NXDOMAIN, "Host not found"],
  [4, "Unimplemented"],
  [5, "Operation refused"],
  [BUSY, "Resource temporarily unavailable"],
  [TIMED_OUT, "Operation timed out"],
]);

export class ResolveError extends Error {
  override name = "ResolveError";
  readonly code: number;

  /** @param code a response code (RFC 1035 section 4.1.1), or one of ours */
  constructor(code: number) {
    super(`${code}: ${WORDS.get(code) ?? "Unknown error"}`);
    this.code = code;
  }
}
