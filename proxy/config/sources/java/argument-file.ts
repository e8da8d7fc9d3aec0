/**
 * Java's argument files (java(1), "java Command-Line Argument Files"): words with blanks between them, on as
 * many lines as they like, quotes around those that hold blanks or `#`, comments from `#` on. A backslash
 * means something within quotes only, and at the end of a line there joins the next one. An open quote ends
 * with its line.
 */
import { ConfigError, type Place, formatPlace } from "../../language/error.ts";

export interface Word {
  readonly text: string;
  /** Where it begins. */
  readonly place: Place;
}

/** Every character is part of one of these, so that nothing is skipped. */
const ITEM =
  /(?<blank>[ \t\n\r\f]+)|(?<comment>#[^\n\r]*)|(?<bare>[^ \t\n\r\f"'#]+)|(?<open>["'])(?<quoted>(?:\\(?:[\n\r][ \t\n\r\f]*|[^])|(?!\k<open>)[^\\\n\r])*)(?<close>\k<open>)?/g;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f" };

/**
 * @param file the text's name in messages
 * @param warnings where a stray quote is told
 * @throws ConfigError for a `#` in a word, with which Java loses the word
 */
export function readArguments(text: string, file: string, warnings: string[]): readonly Word[] {
  const words: Word[] = [];
  let line = 1;
  let word: Word | null = null;
  for (const { 0: item, groups = {} } of text.matchAll(ITEM)) {
    const { blank, comment, bare, quoted, close } = groups;
    if (blank !== undefined) {
      if (word !== null) words.push(word);
      word = null;
    } else if (comment === undefined) {
      word ??= { text: "", place: { file, line } };
      word = { ...word, text: word.text + (bare ?? unescaped(quoted ?? "")) };
      if (bare === undefined && close === undefined) {
        warnings.push(
          `a quote is not closed and ends with its line in ${formatPlace({ file, line })}`,
        );
      }
    } else if (word !== null) throw commentInWord({ file, line });
    line += item.split("\n").length - 1;
  }
  return word === null ? words : [...words, word];
}

function unescaped(quoted: string): string {
  return quoted.replace(/\\(?:[\n\r][ \t\n\r\f]*|([^]))/g, (_, char: string | undefined) =>
    char === undefined ? "" : (ESCAPES[char] ?? char),
  );
}

function commentInWord(place: Place): ConfigError {
  const advice =
    'a comment begins behind a blank, and a word with a "#" in it wants quotes around it';
  return new ConfigError('unexpected "#"', place, advice);
}
