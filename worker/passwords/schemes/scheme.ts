/** One way of storing a password so that it can be checked; most of them cannot be read back. */
export interface PasswordScheme {
  /** Its names between braces, as Dovecot has them; the first is the one that we call it by. */
  readonly names: readonly [string, ...string[]];

  /** Whoever gets hold of a copy soon has the passwords too: only where an operator says so. */
  readonly weak?: true;

  /** How a text begins, or looks, that needs no name: crypt(3)'s forms and their kin. */
  readonly form?: RegExp;

  /**
   * Reads a stored text and finds its cost bearable, without doing the work.
   *
   * @throws UnreadableHash if it is broken, or asks for more work than we will do
   */
  read(stored: StoredText): PasswordHash;
}

/** What stands behind the braces, and how it is written there: `{SSHA.hex}…`. */
export interface StoredText {
  readonly text: string;
  /** Null where the scheme itself must know. */
  readonly encoding: Encoding | null;
}

export type Encoding = "b64" | "hex";

/** A stored password that has been read. */
export interface PasswordHash {
  /**
   * Whether the password, as the client's bytes, is the one that was hashed. Compares in a time
   * that does not tell how much was right.
   *
   * @throws UnreadableHash if that shows only now to be impossible
   */
  matches(password: Uint8Array): boolean;

  /** As good as what we would make of the password today. */
  readonly current?: boolean;
}

/** A stored hash that cannot be used. The message never holds the hash. */
export class UnreadableHash extends Error {
  override name = "UnreadableHash";
}
