/**
 * The highest cost of a stored hash, for imports and for logins. No hash takes more than some half a second of an
 * isolate's time. The argon2id of a new password takes 80 ms. The defaults of the usual tools are in brackets.
 */

/** KiB [doveadm 65,536]. An isolate has 128 MiB in all, and WebAssembly does not return memory. */
export const MAX_ARGON2_MEMORY = 65_536;

/** KiB times passes [doveadm 196,608]. */
export const MAX_ARGON2_WORK = 4 * MAX_ARGON2_MEMORY;

/** The binary logarithm of the rounds [doveadm, htpasswd and mkpasswd 5, PHP 10 and 12]. */
export const MAX_BCRYPT_COST = 12;

/** Rounds of SHA256-CRYPT and SHA512-CRYPT [5,000]. */
export const MAX_SHA_CRYPT_ROUNDS = 50_000;

/** Iterations of PBKDF2 and of SCRAM [doveadm 5,000 and 4,096]: Workers refuse more. */
export const MAX_PBKDF2_ITERATIONS = 100_000;

/** UTF-16 units in a stored text, with its prefix. No tool writes 500. */
export const MAX_STORED_LENGTH = 1_024;

/** Bytes in a password. libxcrypt refuses longer ones, and SHA-CRYPT's time grows with the square of the length. */
export const MAX_PASSWORD_BYTES = 511;
