/** The parts of a command line in POP3 and SMTP: a name, and words between spaces. */
import type { ByteString } from "../../shared/lookup.ts";

const LETTERS = /^[A-Za-z]+$/;

/** The command's name in capitals, or "" where the line does not begin with letters. */
export function verbOf(line: ByteString): string {
  const space = line.indexOf(" ");
  const word = space === -1 ? line : line.slice(0, space);
  return LETTERS.test(word) ? word.toUpperCase() : "";
}

/** The text after the name and its spaces. */
export function argumentOf(line: ByteString): ByteString {
  let at = line.indexOf(" ");
  if (at === -1) return "";
  while (line[at] === " ") at++;
  return line.slice(at);
}

/** The words between runs of spaces. */
export function wordsOf(text: ByteString): ByteString[] {
  const words: ByteString[] = [];
  for (let at = 0; at < text.length;) {
    const space = text.indexOf(" ", at);
    const end = space === -1 ? text.length : space;
    if (end > at) words.push(text.slice(at, end));
    at = end + 1;
  }
  return words;
}
