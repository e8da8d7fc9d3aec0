import { PASSWORD_BYTES } from "./schemes/limits.ts";
import { HashQueue } from "./hash-queue.ts";
import { VerifiedPasswords } from "./verified-cache.ts";
import { type PasswordScheme, UnreadableHash } from "./schemes/scheme.ts";
import { STRONG_SCHEMES } from "./schemes/index.ts";
import { type StoredPassword, readStored } from "./stored.ts";

/**
 * `unreadable`: nobody can tell whether the password is right, because of the hash that is stored.
 * `busy`: nor now, because too many are waiting to be told.
 */
export type PasswordVerdict = "right" | "wrong" | "unreadable" | "busy";

/** The isolate's own. */
const queue = new HashQueue();
const verifiedPasswords = new VerifiedPasswords();

/**
 * Checks a password, as the client's bytes, against a stored hash.
 *
 * @param schemes those that are allowed
 */
export async function verifyPassword(
  password: Uint8Array,
  stored: string,
  schemes: readonly PasswordScheme[] = STRONG_SCHEMES,
): Promise<PasswordVerdict> {
  if (!isPossible(password)) return simulateVerification(password, schemes);
  const hash = readable(stored, schemes);
  if (hash !== null && verifiedPasswords.has(password, stored)) return "right";
  const verdict = await queue.run(() => compare(password, hash, schemes));
  if (verdict === "right") verifiedPasswords.add(password, stored);
  return verdict;
}

/**
 * Does a verification's work to no end: where there is no hash to check, the answer must take as
 * long as it does for a wrong password, or its time would tell which users exist.
 *
 * As long as for a hash of today's cost, that is. A wrong password for a hash of an older scheme is
 * followed by the same work, as most of them cost next to nothing. The one that takes longer than a
 * user who is unknown, as bcrypt of cost 12 does, is replaced when its owner logs in. Argon2id of a higher
 * cost than today's is not, as that would weaken it: its owner can be told from nobody by the time.
 */
export function simulateVerification(
  password: Uint8Array,
  schemes: readonly PasswordScheme[] = STRONG_SCHEMES,
): Promise<"wrong" | "busy"> {
  return queue.run(() => {
    spend(password, schemes);
    return "wrong";
  });
}

/**
 * No mail protocol carries a NUL, at which crypt(3) would end the password; and what is too long for
 * crypt(3) is no one's password.
 */
function isPossible(password: Uint8Array): boolean {
  return password.length <= PASSWORD_BYTES && !password.includes(0);
}

function readable(stored: string, schemes: readonly PasswordScheme[]): StoredPassword | null {
  try {
    return readStored(stored, schemes);
  } catch (error) {
    if (error instanceof UnreadableHash) return null;
    throw error;
  }
}

function compare(
  password: Uint8Array,
  hash: StoredPassword | null,
  schemes: readonly PasswordScheme[],
): PasswordVerdict {
  const verdict = hash === null ? "unreadable" : match(password, hash);
  if (verdict !== "right" && hash?.current !== true) spend(password, schemes);
  return verdict;
}

function match(password: Uint8Array, hash: StoredPassword): PasswordVerdict {
  try {
    return hash.matches(password) ? "right" : "wrong";
  } catch (error) {
    if (error instanceof UnreadableHash) return "unreadable";
    throw error;
  }
}

function spend(password: Uint8Array, schemes: readonly PasswordScheme[]): void {
  readStored(DUMMY_HASH, schemes).matches(password);
}

/** Made by `hashPassword` of random bytes that nobody kept; to be renewed when its cost changes. */
export const DUMMY_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$9fpF/8V28L9b9zjTwVHnyA$sS3hl/0jEl4/stTKWqIkku0Ymg+N87J5jAaTFaPrlX8";
