import { MAX_PASSWORD_BYTES } from "./schemes/limits.ts";
import { type HashClient, HashQueue } from "./hash-queue.ts";
import { VerifiedPasswords } from "./verified-passwords.ts";
import { type PasswordScheme, UnreadableHash } from "./schemes/scheme.ts";
import { STRONG_SCHEMES } from "./schemes/index.ts";
import { type StoredPassword, readStored } from "./stored.ts";
import { isolateWork, type WorkProfile } from "./work.ts";

/** `unreadable`: the stored hash cannot be verified. `busy`: too many passwords wait to be verified. */
export type PasswordVerdict = "right" | "wrong" | "unreadable" | "busy";

export interface VerifyOptions {
  readonly client: HashClient;
  /** The allowed schemes; those that are not weak if left out. */
  readonly schemes?: readonly PasswordScheme[];
  /** The work of a refusal; this isolate's if left out. */
  readonly profile?: WorkProfile;
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
  const { client, schemes = STRONG_SCHEMES, profile = isolateWork } = options;
  if (!isPossible(password)) return simulateVerification(password, options);
  const hash = tryRead(stored, schemes);
  if (hash?.work !== undefined) profile.meet(hash.work);
  if (hash !== null && verifiedPasswords.has(password, stored)) return "right";
  const verdict = await queue.run(client, () => compare(password, hash, profile));
  if (verdict === "right") verifiedPasswords.add(password, stored);
  return verdict;
}

/**
 * Does the work of a refusal without a hash to verify. An unknown user must cost as much as a wrong password, since the
 * time would reveal which users exist.
 */
export function simulateVerification(
  password: Uint8Array,
  { client, profile = isolateWork }: VerifyOptions,
): Promise<"wrong" | "busy"> {
  return queue.run(client, () => {
    // The time of some schemes grows with the password.
    profile.complete(password.subarray(0, MAX_PASSWORD_BYTES), undefined);
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
  profile: WorkProfile,
): PasswordVerdict {
  const verdict = hash === null ? "unreadable" : match(password, hash);
  if (verdict !== "right") profile.complete(password, hash?.work);
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
