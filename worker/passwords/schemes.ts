import { argon2id } from "./argon2id.ts";
import type { PasswordScheme } from "./scheme.ts";

/** Every way in which a password may be stored; the first that matches is used. */
export const SCHEMES: readonly PasswordScheme[] = [argon2id];
