/**
 * Java's argument files (java(1), "java Command-Line Argument Files"): words with blanks between them, on any
 * number of lines. Words with blanks or `#` need quotes; a `#` begins a comment. A backslash is an escape only
 * within quotes, where at the end of a line it joins the next line. An open quote ends with its line.
 */
import { ConfigError, type Place, formatPlace } from "../../language/error.ts";

export interface Word {
  readonly text: string;
  /** The place of its first character. */
  readonly place: Place;
}

/** Matches every character as part of one alternative, so that nothing is skipped. */
const ITEM =
  /(?<blank>[ \t\n\r\f]+)|(?<comment>#[^\n\r]*)|(?<bare>[^ \t\n\r\f"'#]+)|(?<open>["'])(?<quoted>(?:\\(?:[\n\r][ \t\n\r\f]*|[^])|(?!\k<open>)[^\\\n\r])*)(?<close>\k<open>)?/g;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f" };

/**
 * @param file the text's name in messages
 * @param warnings gets a line for each stray quote
 * @throws ConfigError for a `#` in a word, since Java drops such a word
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
  const advice = 'a comment must follow a blank; put a word with "#" in quotes';
  return new ConfigError('unexpected "#"', place, advice);
}
