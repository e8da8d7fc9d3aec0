import { reason } from "../../reason.ts";
import { withoutSecrets } from "./secrets.ts";

/** Where a directive stands: the file as it was named, and the line (from 1) on which it ends. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** The place alone of what stands there. */
export function at({ file, line }: Place): Place {
  return { file, line };
}

/** The place of what `-g` says, which has no lines. */
export const COMMAND_LINE = "command line";

/** A configuration that cannot be used: what is wrong, and where, in nginx's words. */
export class ConfigError extends Error {
  override name = "ConfigError";
  /** What to do about it, where that is not obvious: ours, and so never a part of nginx's words. */
  readonly advice: string | null;

  constructor(what: string, place?: Place, advice: string | null = null) {
    // Words of the file that make no sense may hold a URL all the same.
    super(withoutSecrets(place === undefined ? what : `${what} in ${shown(place)}`));
    this.advice = advice === null ? null : withoutSecrets(advice);
  }
}

/** What to tell of an error: what it says, and on a line of its own what to do about it. */
export function told(error: unknown): readonly string[] {
  const advice = error instanceof ConfigError ? error.advice : null;
  return advice === null ? [reason(error)] : [reason(error), advice];
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
