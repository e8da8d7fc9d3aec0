/** A scheme in which passwords are stored. */
export interface PasswordScheme {
  /** Dovecot's names for the scheme, in braces. Our texts use the first one. */
  readonly names: readonly [string, ...string[]];

  /** True if the passwords are easily recovered from a copy. An operator must allow the scheme. */
  readonly weak?: true;

  /** Matches stored texts that need no name in braces, such as crypt(3)'s. */
  readonly form?: RegExp;

  /**
   * Parses a stored text and checks its cost, without hashing.
   *
   * @throws UnreadableHash if the text is malformed or its cost is too high
   */
  read(stored: StoredText): PasswordHash;
}

/** The text after the braces, and its encoding: `{SSHA.hex}…`. */
export interface StoredText {
  readonly text: string;
  /** Null if the braces do not name one. */
  readonly encoding: Encoding | null;
}

export type Encoding = "b64" | "hex";

/** A parsed stored password. */
export interface PasswordHash {
  /**
   * True if the client's bytes are the password. The time does not reveal how much of the hash was equal.
   *
   * @throws UnreadableHash if hashing fails
   */
  matches(password: Uint8Array): boolean;

  /** True if the hash is as strong as a new one. */
  readonly current?: boolean;

  /** The work of `matches`; left out where it is next to nothing. */
  readonly work?: Work;
}

export const WORK_KINDS = [
  "argon2",
  "bcrypt",
  "sha512-crypt",
  "sha256-crypt",
  "md5-crypt",
  "pbkdf2-sha256",
  "pbkdf2-sha1",
  "des-crypt",
] as const;

export type WorkKind = (typeof WORK_KINDS)[number];

/** Units are KiB times passes of argon2, and rounds or iterations of the others. */
export interface Work {
  readonly kind: WorkKind;
  readonly units: number;
}

/** A stored hash that cannot be used. The message does not contain the hash. */
export class UnreadableHash extends Error {
  override name = "UnreadableHash";
}
