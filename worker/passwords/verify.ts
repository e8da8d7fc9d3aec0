import { MAX_PASSWORD_BYTES } from "./schemes/limits.ts";
import { type HashClient, HashQueue } from "./hash-queue.ts";
import { VerifiedPasswords } from "./verified-passwords.ts";
import { type PasswordScheme, UnreadableHash } from "./schemes/scheme.ts";
import { STRONG_SCHEMES } from "./schemes/index.ts";
import { type StoredPassword, readStored } from "./stored.ts";

/** `unreadable`: the stored hash cannot be verified. `busy`: too many passwords wait to be verified. */
export type PasswordVerdict = "right" | "wrong" | "unreadable" | "busy";

export interface VerifyOptions {
  readonly client: HashClient;
  /** The allowed schemes; those that are not weak if left out. */
  readonly schemes?: readonly PasswordScheme[];
}

/** One of each in an isolate. */
const queue = new HashQueue();
const verifiedPasswords = new VerifiedPasswords();

/** Verifies the client's bytes against a stored hash. */
export async function verifyPassword(
  password: Uint8Array,
  stored: string,
  options: VerifyOptions,
): Promise<PasswordVerdict> {
  const { client, schemes = STRONG_SCHEMES } = options;
  if (!isPossible(password)) return simulateVerification(password, options);
  const hash = tryRead(stored, schemes);
  if (hash !== null && verifiedPasswords.has(password, stored)) return "right";
  const verdict = await queue.run(client, () => compare(password, hash, schemes));
  if (verdict === "right") verifiedPasswords.add(password, stored);
  return verdict;
}

/**
 * Does the work of a verification without a hash to verify. An unknown user must take as long as a wrong password,
 * since the time would reveal which users exist.
 *
 * It takes as long as a new hash. A wrong password for a hash of an older scheme is followed by the same work, since
 * most older schemes cost little. A hash that takes longer than an unknown user, such as bcrypt with cost 12, is
 * replaced when its owner logs in. Argon2id with a higher cost than a new hash's is not replaced, since that would
 * weaken it, so the time reveals that its owner exists.
 */
export function simulateVerification(
  password: Uint8Array,
  { client, schemes = STRONG_SCHEMES }: VerifyOptions,
): Promise<"wrong" | "busy"> {
  return queue.run(client, () => {
    simulate(password, schemes);
    return "wrong";
  });
}

/** Mail protocols carry no NUL, at which crypt(3) would end a password. crypt(3) refuses longer passwords. */
function isPossible(password: Uint8Array): boolean {
  return password.length <= MAX_PASSWORD_BYTES && !password.includes(0);
}

function tryRead(stored: string, schemes: readonly PasswordScheme[]): StoredPassword | null {
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
  if (verdict !== "right" && hash?.current !== true) simulate(password, schemes);
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

function simulate(password: Uint8Array, schemes: readonly PasswordScheme[]): void {
  readStored(DUMMY_HASH, schemes).matches(password);
}

/** The `hashPassword` of discarded random bytes. It must be renewed when the cost of new hashes changes. */
export const DUMMY_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$9fpF/8V28L9b9zjTwVHnyA$sS3hl/0jEl4/stTKWqIkku0Ymg+N87J5jAaTFaPrlX8";
