/** Argon2id, the scheme of new hashes, and argon2i: Dovecot's `{ARGON2ID}` and `{ARGON2I}`. */
import { type Argon2Cost, hashArgon2id, verifyArgon2 } from "../algorithms/argon2.ts";
import { MAX_ARGON2_MEMORY, MAX_ARGON2_WORK } from "./limits.ts";
import { textOf } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

/** OWASP's second choice for argon2id: 19 MiB and two passes. It takes some 80 ms in workerd. */
export const COST = { memory: 19_456, passes: 2, lanes: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;

export const argon2id = argon2("argon2id");
export const argon2i = argon2("argon2i");

function argon2(type: "argon2id" | "argon2i"): PasswordScheme {
  // The reference implementation requires at least 8 bytes of salt and 4 of tag.
  const form = new RegExp(
    `^\\$${type}\\$v=19\\$m=([1-9]\\d{0,8}),t=([1-9]\\d{0,8}),p=([1-9]\\d{0,2})\\$[A-Za-z0-9+/]{11,}\\$[A-Za-z0-9+/]{6,}$`,
  );
  return {
    names: [type.toUpperCase()],
    form: new RegExp(`^\\$${type}\\$`),
    read(stored) {
      const text = textOf(stored);
      const match = form.exec(text);
      if (match === null) throw new UnreadableHash("it is malformed");
      const [memory = 0, passes = 0, lanes = 0] = match.slice(1).map(Number);
      checkCost({ memory, passes, lanes });
      return {
        matches: (password) => verify(type, password, text),
        work: { kind: "argon2", units: memory * passes },
        current:
          type === "argon2id" &&
          memory >= COST.memory &&
          memory * passes >= COST.memory * COST.passes,
      };
    },
  };
}

/** @throws UnreadableHash */
function checkCost({ memory, passes, lanes }: Argon2Cost): void {
  if (memory < 8 * lanes) throw new UnreadableHash("it has too little memory for its lanes");
  if (memory > MAX_ARGON2_MEMORY)
    throw new UnreadableHash(`it takes more than ${MAX_ARGON2_MEMORY} KiB`);
  if (memory * passes > MAX_ARGON2_WORK) {
    throw new UnreadableHash(`it passes over more than ${MAX_ARGON2_WORK} KiB in all`);
  }
}

function verify(type: "argon2id" | "argon2i", password: Uint8Array, text: string): boolean {
  try {
    return verifyArgon2(type, password, text);
  } catch (error) {
    throw new UnreadableHash("it cannot be verified", { cause: error });
  }
}

/** Hashes a new password with a random salt. */
export function hashPassword(password: Uint8Array): string {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  return hashArgon2id(password, salt, TAG_BYTES, COST);
}
