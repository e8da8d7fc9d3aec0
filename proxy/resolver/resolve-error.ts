/** The failure to resolve a name or an address, in nginx's words. */

export const SERVFAIL = 2;
/** The name does not exist, or has no record of the type. */
export const NXDOMAIN = 3;
/** The resolver's own codes, with Linux's numbers. */
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

  /** @param code a response code (RFC 1035 section 4.1.1), or one of the resolver's own */
  constructor(code: number) {
    super(`${code}: ${WORDS.get(code) ?? "Unknown error"}`);
    this.code = code;
  }
}
