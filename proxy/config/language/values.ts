/** The kinds of argument that nginx's directives take. Each reader throws ConfigError with nginx's text. */
import type { ByteString } from "../../../shared/lookup.ts";
import { decoded } from "../../bytes.ts";
import { ConfigError } from "./error.ts";
import type { Directive } from "./directive.ts";

/** Reads a directive's arguments, after the reader has checked their number. */
export type Read<Value> = (directive: Directive, paths: Paths) => Value;

/** The folders that relative paths are relative to; each ends in `/`. */
export interface Paths {
  /** The folder of logs and `pid` (`-p`). */
  readonly prefix: string;
  /** The folder of the main configuration: for `include` and the files of TLS. */
  readonly configuration: string;
}

export function text(directive: Directive): string {
  const [argument] = directive.args;
  if (argument === undefined) throw argumentCount(directive);
  return decoded(argument);
}

export function words(directive: Directive): readonly string[] {
  return directive.args.map(decoded);
}

/** The bytes of words that go to a peer unchanged, in whatever encoding the file has. */
export function rawWords(directive: Directive): readonly ByteString[] {
  return directive.args;
}

export function flag(directive: Directive): boolean {
  const word = text(directive).toLowerCase();
  if (word === "on") return true;
  if (word === "off") return false;
  throw new ConfigError(
    `invalid value "${text(directive)}" in "${directive.name}" directive, it must be "on" or "off"`,
    directive,
  );
}

export function number(directive: Directive): number {
  const digits = text(directive);
  const value = Number(digits);
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(value)) throw invalid("number", directive);
  return value;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2 };

/** @returns bytes */
export function size(directive: Directive): number {
  const value = bytes(text(directive));
  if (!Number.isSafeInteger(value)) throw invalid("value", directive);
  return value;
}

/** A size that may also end in `g`, as nginx's file offsets do. @returns bytes */
export function offset(directive: Directive): number {
  const [, digits, giga] = /^(\d+)(g)$/i.exec(text(directive)) ?? [];
  const value = giga === undefined ? bytes(text(directive)) : Number(digits) * 1024 ** 3;
  if (!Number.isSafeInteger(value)) throw invalid("value", directive);
  return value;
}

/** Reads `512`, `16k`, `1m`. @returns bytes, or NaN */
export function bytes(word: string): number {
  const [, digits, unit] = /^(\d+)([km]?)$/i.exec(word) ?? [];
  return Number(digits) * (SIZE_UNITS[unit?.toLowerCase() ?? ""] ?? Number.NaN);
}

/** Seconds in each unit, and the order that nginx requires; a blank ends seconds without a unit. */
const TIME_UNITS: Readonly<Record<string, readonly [order: number, worth: number]>> = {
  y: [1, 31_536_000],
  M: [2, 2_592_000],
  w: [3, 604_800],
  d: [4, 86_400],
  h: [5, 3600],
  m: [6, 60],
  s: [7, 1],
  " ": [7, 1],
  ms: [8, 0.001],
};
const AFTER_ALL = 9;

/** Adds up `1h 30m`, `90` or `500ms`: units fall, and a number without one at the end is seconds. @returns ms */
export function time(directive: Directive): number {
  const found = parseTime(text(directive), "w", "ms");
  if (Number.isNaN(found)) throw invalid("value", directive);
  return Math.round(found * 1000);
}

/** Adds up `30m` or `1y 6M`, without milliseconds. @returns seconds, or NaN */
export function seconds(word: string): number {
  return parseTime(word, "y", "s");
}

/** nginx's ngx_parse_time, for units from the longest to the shortest. @returns seconds, or NaN */
function parseTime(word: string, longest: string, shortest: "s" | "ms"): number {
  const part = /(\d*)(ms|[yMwdhms ]) */y;
  let total = 0;
  let at = 0;
  let [after] = TIME_UNITS[longest] ?? [0];
  for (let found = part.exec(word); found !== null; found = part.exec(word)) {
    const [, digits, unit = ""] = found;
    const [order, worth] = TIME_UNITS[unit] ?? [0, 0];
    if (order < after || (unit === "ms" && shortest === "s")) return Number.NaN;
    total += Number(digits) * worth;
    at = part.lastIndex;
    after = unit === " " ? AFTER_ALL : order + 1;
  }
  const rest = word.slice(at);
  if (!/^\d*$/.test(rest) || !/\d/.test(word)) return Number.NaN;
  total += Number(rest);
  return Number.isSafeInteger(Math.ceil(total * 1000)) ? total : Number.NaN;
}

/** Reads one of a few words in any case, as nginx's enumerations do. */
export function oneOf<Word extends string>(...allowed: readonly Word[]): Read<Word> {
  return (directive) => member(allowed, text(directive), directive);
}

/** @throws ConfigError for a word that is not allowed */
export function member<Word extends string>(
  allowed: readonly Word[],
  word: string,
  directive: Directive,
): Word {
  const found = allowed.find((candidate) => candidate.toLowerCase() === word.toLowerCase());
  if (found === undefined) {
    const advice = `"${directive.name}" takes ${allowed.join(", ")}`;
    throw new ConfigError(`invalid value "${word}"`, directive, advice);
  }
  return found;
}

export function invalid(what: "value" | "number", directive: Directive): ConfigError {
  return new ConfigError(`"${directive.name}" directive invalid ${what}`, directive);
}

export function argumentCount(directive: Directive): ConfigError {
  return new ConfigError(`invalid number of arguments in "${directive.name}" directive`, directive);
}
