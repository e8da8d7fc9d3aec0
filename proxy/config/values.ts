/** The kinds of argument that nginx's directives take: text into a value, or ConfigError with nginx's text. */
import { ConfigError } from "./error.ts";
import type { Directive } from "./parser.ts";

/** Reads a directive's arguments, whose number the table has already checked. */
export type Read<Value> = (directive: Directive, paths: Paths) => Value;

/** What relative paths are relative to; each ends in `/`. */
export interface Paths {
  /** `-p`: for `error_log` and `pid`. */
  readonly prefix: string;
  /** The main configuration's own directory: for `include` and everything `ssl_*`. */
  readonly configuration: string;
}

export function text(directive: Directive): string {
  return first(directive);
}

export function words(directive: Directive): readonly string[] {
  return directive.args;
}

export function flag(directive: Directive): boolean {
  const word = first(directive).toLowerCase();
  if (word === "on") return true;
  if (word === "off") return false;
  throw new ConfigError(
    `invalid value "${first(directive)}" in "${directive.name}" directive, it must be "on" or "off"`,
    directive,
  );
}

export function number(directive: Directive): number {
  const digits = first(directive);
  const value = Number(digits);
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(value)) {
    throw new ConfigError(`"${directive.name}" directive invalid number`, directive);
  }
  return value;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2 };

/** @returns bytes */
export function size(directive: Directive): number {
  const value = bytes(first(directive));
  if (!Number.isSafeInteger(value)) {
    throw new ConfigError(`"${directive.name}" directive invalid value`, directive);
  }
  return value;
}

/** A size that may be in `g`, too, as files have. @returns bytes */
export function offset(directive: Directive): number {
  const [, digits, giga] = /^(\d+)(g)$/i.exec(first(directive)) ?? [];
  const value = giga === undefined ? bytes(first(directive)) : Number(digits) * 1024 ** 3;
  if (Number.isSafeInteger(value)) return value;
  throw new ConfigError(`"${directive.name}" directive invalid value`, directive);
}

/** `512`, `16k`, `1m`: bytes, or NaN. */
export function bytes(word: string): number {
  const [, digits, unit] = /^(\d+)([km]?)$/i.exec(word) ?? [];
  return Number(digits) * (SIZE_UNITS[unit?.toLowerCase() ?? ""] ?? Number.NaN);
}

/** Milliseconds in each unit, in the order in which nginx wants them. */
const TIME_UNITS = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

/** `1h 30m`, `90`, `500ms`: a sum in falling units; a bare number at the end is seconds. @returns ms */
export function time(directive: Directive): number {
  const ms = parseTime(first(directive));
  if (ms === null) throw new ConfigError(`"${directive.name}" directive invalid value`, directive);
  return ms;
}

function parseTime(value: string): number | null {
  let rest = value;
  let total = 0;
  let allowed = 0;
  while (rest !== "") {
    const [whole, digits, unit] = /^ *(\d+)([a-z]*) */.exec(rest) ?? [];
    if (whole === undefined) return null;
    rest = rest.slice(whole.length);
    if (unit === "" && rest !== "") return null;
    const index = unit === "" ? 4 : TIME_UNITS.findIndex(([name]) => name === unit);
    const found = TIME_UNITS[index];
    if (found === undefined || index < allowed) return null;
    total += Number(digits) * found[1];
    allowed = index + 1;
  }
  return value !== "" && Number.isSafeInteger(total) ? total : null;
}

/** One of a few words, without regard to case, as nginx's enumerations are. */
export function oneOf<Word extends string>(...allowed: readonly Word[]): Read<Word> {
  return (directive) => member(allowed, first(directive), directive);
}

/** @throws ConfigError for a word that is none of those allowed */
export function member<Word extends string>(
  allowed: readonly Word[],
  word: string,
  directive: Directive,
): Word {
  const found = allowed.find((candidate) => candidate === word.toLowerCase());
  if (found === undefined) throw new ConfigError(`invalid value "${word}"`, directive);
  return found;
}

function first(directive: Directive): string {
  const [argument] = directive.args;
  if (argument === undefined) throw argumentCount(directive);
  return argument;
}

export function argumentCount(directive: Directive): ConfigError {
  return new ConfigError(`invalid number of arguments in "${directive.name}" directive`, directive);
}
