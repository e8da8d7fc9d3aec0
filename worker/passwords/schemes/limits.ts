/**
 * The most that a stored hash may cost us, whoever wrote it: at import, where it is refused, and at
 * every login. None takes more than some half a second of an isolate's time; the argon2id of a new
 * password takes 80 ms. In brackets what the usual tools make unless told otherwise.
 */

/** KiB [doveadm 65,536]: an isolate has 128 MiB in all, and the memory that one hash took stays taken. */
export const ARGON2_MEMORY = 65_536;

/** KiB times passes [doveadm 196,608]. */
export const ARGON2_WORK = 4 * ARGON2_MEMORY;

/** The binary logarithm of the rounds [doveadm, htpasswd and mkpasswd 5, PHP 10 and 12]. */
export const BCRYPT_COST = 12;

/** Rounds of SHA256-CRYPT and SHA512-CRYPT [5,000]. */
export const SHA_CRYPT_ROUNDS = 50_000;

/** Iterations of PBKDF2 and of SCRAM [doveadm 5,000 and 4,096]: Workers refuse more. */
export const PBKDF2_ITERATIONS = 100_000;

/** UTF-16 units of a stored text, with its prefix. No tool makes one of 500. */
export const STORED_LENGTH = 1_024;

/**
 * Bytes of a password that can be right: libxcrypt takes no longer one, and the time that SHA-CRYPT
 * takes grows with the square of its length.
 */
export const PASSWORD_BYTES = 511;
