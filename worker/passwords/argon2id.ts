/** Argon2id: the scheme of new passwords, and of Dovecot's `{ARGON2ID}`. */
import { hashArgon2id, verifyArgon2id } from "./argon2.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

/** OWASP's second choice for argon2id: 19 MiB and two passes, some 80 ms in workerd. */
const COST = { memory: 19_456, passes: 2, lanes: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;

/**
 * The most that a stored hash may cost. `doveadm pw` makes 64 MiB and three passes; an isolate has
 * 128 MiB in all, and the memory that one hash took stays taken.
 */
const MAX_MEMORY = 65_536;
const MAX_WORK = 4 * MAX_MEMORY;

const PHC = /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=\d{1,3}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/;

export const argon2id: PasswordScheme = {
  name: "argon2id",

  matches: (stored) => /^(\{ARGON2ID\})?\$argon2id\$/i.test(stored),

  verify(password, stored) {
    const encoded = stored.replace(/^\{ARGON2ID\}/i, "");
    const cost = PHC.exec(encoded);
    if (cost === null) throw new UnreadableHash("an argon2id hash is malformed");
    const memory = Number(cost[1]);
    if (memory > MAX_MEMORY || memory * Number(cost[2]) > MAX_WORK) {
      throw new UnreadableHash("an argon2id hash costs more than 64 MiB or four passes over it");
    }
    try {
      return verifyArgon2id(password, encoded);
    } catch (error) {
      throw new UnreadableHash("an argon2id hash cannot be verified", { cause: error });
    }
  },
};

/** Hashes a new password, with a salt of its own. */
export function hashPassword(password: Uint8Array): string {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  return hashArgon2id(password, salt, TAG_BYTES, COST);
}
