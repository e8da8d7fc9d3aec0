/** One way of storing a password so that it can be checked and not be read. */
export interface PasswordScheme {
  readonly name: string;

  /** Whether a stored text is of this scheme; says nothing of its being sound. */
  matches(stored: string): boolean;

  /**
   * Whether the password, as the client's bytes, is the one behind `stored`.
   *
   * @throws UnreadableHash if `stored` is broken, or asks for more work than we will do
   */
  verify(password: Uint8Array, stored: string): boolean;
}

/** A stored hash that cannot be used. The message never holds the hash. */
export class UnreadableHash extends Error {
  override name = "UnreadableHash";
}
