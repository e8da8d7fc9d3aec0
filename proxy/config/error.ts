/** Where a directive stands: the file as it was named, and the line (from 1) on which it ends. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** The place of what `-g` says, which has no lines. */
export const COMMAND_LINE = "command line";

/** A configuration that cannot be used: what is wrong, and where. */
export class ConfigError extends Error {
  override name = "ConfigError";

  constructor(what: string, place?: Place) {
    super(place === undefined ? what : `${what} in ${shown(place)}`);
  }
}

/** A text that ends in the middle of a directive. */
export function unfinished(place: Place): ConfigError {
  const what =
    place.file === COMMAND_LINE
      ? 'unexpected end of parameter, expecting ";"'
      : 'unexpected end of file, expecting ";" or "}"';
  return new ConfigError(what, place);
}

export function shown({ file, line }: Place): string {
  return file === COMMAND_LINE ? file : `${file}:${line}`;
}
