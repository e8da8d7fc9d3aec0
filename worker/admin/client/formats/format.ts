/** A user as the API takes and gives them; what a format does not tell is left out. */
export interface User {
  readonly address: string;
  readonly passwordHash: string;
  readonly enabled?: boolean;
  readonly imap?: boolean;
  readonly pop3?: boolean;
  readonly smtp?: boolean;
  readonly group?: string;
  readonly server?: string;
  readonly upstreamLogin?: string;
}

/** What a line comes to; null for a line that is for people only. */
export type Line = { readonly user: User } | { readonly refused: string } | null;

/** A way of writing users down, one a line. */
export interface Format {
  readonly name: string;
  /** Whether a file with this first line is of this format; the first that says so is taken. */
  recognises(firstLine: string): boolean;
  /**
   * The reader of a file with this first line, which it reads like any other.
   *
   * @throws UsageError if the line says that it cannot be read
   */
  reader(firstLine: string): (line: string) => Line;
  /** The line before all others, if there is one. */
  readonly heading?: string;
  /** What it makes of a user whom it cannot hold, it does not read as the same user. */
  write(user: User): string;
}
