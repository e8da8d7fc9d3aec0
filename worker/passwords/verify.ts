import { type PasswordScheme, UnreadableHash } from "./scheme.ts";
import { SCHEMES } from "./schemes.ts";

/** `unreadable`: nobody can tell whether the password is right, because of the hash that is stored. */
export type Verdict = "right" | "wrong" | "unreadable";

/** Checks a password, as the client's bytes, against a stored hash. */
export function verifyPassword(
  password: Uint8Array,
  stored: string,
  schemes: readonly PasswordScheme[] = SCHEMES,
): Verdict {
  const scheme = schemes.find((candidate) => candidate.matches(stored));
  try {
    if (scheme === undefined) throw new UnreadableHash("a hash is of no known scheme");
    return scheme.verify(password, stored) ? "right" : "wrong";
  } catch (error) {
    if (!(error instanceof UnreadableHash)) throw error;
    spendVerification(password, schemes);
    return "unreadable";
  }
}

/**
 * Does a verification's work to no end: where there is no hash to check, the answer must take as
 * long as it does for a wrong password, or its time would tell which users exist.
 */
export function spendVerification(
  password: Uint8Array,
  schemes: readonly PasswordScheme[] = SCHEMES,
): void {
  schemes.find((scheme) => scheme.matches(NOBODYS_HASH))?.verify(password, NOBODYS_HASH);
}

/** Made by `hashPassword` of random bytes that nobody kept; to be renewed when its cost changes. */
export const NOBODYS_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$9fpF/8V28L9b9zjTwVHnyA$sS3hl/0jEl4/stTKWqIkku0Ymg+N87J5jAaTFaPrlX8";
