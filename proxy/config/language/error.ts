import { reason } from "../../reason.ts";
import { decoded } from "../../bytes.ts";
import type { ByteString } from "../../../shared/lookup.ts";
import { messageWithoutSecrets } from "./secrets/words.ts";

/** The file as the configuration names it, and the line (from 1) on which the directive ends. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** A place with the words of its directive, where they are known. */
export interface Cause extends Place {
  readonly name?: ByteString;
  readonly args?: readonly ByteString[];
}

/** Reduces a directive or scope to its place. */
export function toPlace({ file, line }: Place): Place {
  return { file, line };
}

/** The file name of directives from `-g`, which have no lines. */
export const COMMAND_LINE = "command line";

/** A mistake in a configuration, in nginx's words, and its place. */
export class ConfigError extends Error {
  override name = "ConfigError";
  /** Advice for a mistake with no obvious mend. The advice is ours, and so never part of nginx's words. */
  readonly advice: string | null;

  constructor(what: string, cause?: Cause, advice: string | null = null) {
    const told = withoutSecrets(what, cause);
    super(cause === undefined ? told : `${told} in ${formatPlace(cause)}`);
    this.advice = advice === null ? null : withoutSecrets(advice, cause);
  }
}

/** Hides the secrets of a directive in a message about it. */
export function withoutSecrets(what: string, { name, args = [] }: Partial<Cause> = {}): string {
  const words = name === undefined ? args : [name, ...args];
  return messageWithoutSecrets(what, words.map(decoded));
}

/** The lines to log for an error: its message, and its advice if it has any. */
export function errorLines(error: unknown): readonly string[] {
  const advice = error instanceof ConfigError ? error.advice : null;
  return advice === null ? [reason(error)] : [reason(error), advice];
}

/** The error for a text that ends in the middle of a directive. */
export function unfinished(place: Place): ConfigError {
  const what =
    place.file === COMMAND_LINE
      ? 'unexpected end of parameter, expecting ";"'
      : 'unexpected end of file, expecting ";" or "}"';
  return new ConfigError(what, place);
}

export function formatPlace({ file, line }: Place): string {
  return file === COMMAND_LINE ? file : `${file}:${line}`;
}
