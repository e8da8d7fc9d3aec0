/** Where a directive stands: the file as it was named, and the line (from 1) on which it ends. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A configuration that cannot be used: what is wrong, and where. */
export class ConfigError extends Error {
  override name = "ConfigError";

  constructor(what: string, place?: Place) {
    super(place === undefined ? what : `${what} in ${place.file}:${place.line}`);
  }
}
