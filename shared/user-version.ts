/** The version of a user, by which a proxy tells a login from before a revocation from one after it. */

export interface UserVersion {
  /** 16 random bytes in base64url. No other user has ever had the id, in any database. */
  readonly id: string;
  /** Grows whenever a means of login of the user changes; from 1 to 2^53 - 1. */
  readonly version: number;
}

/** 22 characters hold 132 bits, so the last four bits of an id are zero (RFC 4648 section 3.5). */
const USER_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Characters in a bookmark of D1. */
const MAX_BOOKMARK_LENGTH = 128;

export function isUserId(text: string): boolean {
  return USER_ID.test(text);
}

/** Reads the values of `Auth-User-Id` and `Auth-User-Version`. @returns null if one is missing or malformed */
export function parseUserVersion(
  id: string | null | undefined,
  version: string | null | undefined,
): UserVersion | null {
  if (id === null || id === undefined || version === null || version === undefined) return null;
  return /^[1-9]\d{0,15}$/.test(version) ? readUserVersion({ id, version: Number(version) }) : null;
}

/** Reads `{ id, version }` of JSON. @returns null if it is malformed */
export function readUserVersion(value: unknown): UserVersion | null {
  if (typeof value !== "object" || value === null) return null;
  const id = "id" in value ? value.id : null;
  const version = "version" in value ? value.version : null;
  if (typeof id !== "string" || !isUserId(id)) return null;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) return null;
  return { id, version };
}

/** True for printable ASCII without blanks, which a bookmark of D1 is. A header can hold it as it is. */
export function isBookmark(value: unknown): value is string {
  return (
    typeof value === "string" && value.length <= MAX_BOOKMARK_LENGTH && /^[\x21-\x7e]+$/.test(value)
  );
}
