/** A user as in the API. Fields that a format does not hold are left out. */
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

/** The content of a line; null for a comment, a heading or an empty line. */
export type Line = { readonly user: User } | { readonly refused: string } | null;

/** A file format with one user on each line. */
export interface Format {
  readonly name: string;
  /** True where a file with this first line has this format. The first format that says so is chosen. */
  recognises(firstLine: string): boolean;
  /**
   * Makes the reader of a file with this first line. The reader reads the first line too.
   *
   * @throws UsageError if the line is a heading that cannot be read
   */
  reader(firstLine: string): (line: string) => Line;
  /** The first line of an export, where the format has a heading. */
  readonly heading?: string;
  /** Writes a user. A user that the format cannot hold gives a line that reads as another one. */
  write(user: User): string;
}
