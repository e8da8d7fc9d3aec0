/** A file of the configuration as `-T` prints it. */
import type { ByteString } from "../../../../shared/lookup.ts";
import { Lexer, type Token } from "../lexer.ts";
import { SecretWords, proseWithoutSecrets } from "./words.ts";

/**
 * @param text of a file that the reader accepts
 * @returns the text byte for byte, but with `***` in place of secrets
 */
export function withoutSecrets(text: ByteString): ByteString {
  const lexer = new Lexer(text, "");
  const parts: ByteString[] = [];
  let directive = new SecretWords();
  /** A directive that is commented out may go on in the next comment. */
  let commented = new SecretWords();
  const comment = (_: string, signs: string, line: ByteString): ByteString => {
    // A comment in front of a secret may tell that secret.
    if (directive.hidesNext) return `${signs}***`;
    const [shown, open] = commentWithoutSecrets(line, commented);
    commented = open;
    return signs + shown;
  };
  for (;;) {
    const { at } = lexer;
    const token = lexer.next();
    parts.push(text.slice(at, token.start).replace(/(#+)([^\n]*)/g, comment));
    const raw = text.slice(token.start, lexer.at);
    commented = new SecretWords();
    if (token.kind === "word") parts.push(directive.take(token.text, raw));
    else {
      parts.push(raw);
      directive = new SecretWords();
    }
    if (token.kind === "end") return parts.join("");
  }
}

/**
 * @param line behind the `#`
 * @param directive that the comments before have begun
 * @returns the line as it may be shown, and the directive at its end
 */
function commentWithoutSecrets(
  line: ByteString,
  directive: SecretWords,
): readonly [shown: ByteString, directive: SecretWords] {
  const inner = line.replace(/(?<=^|[\s;{}])#+/g, (signs) => " ".repeat(signs.length));
  const lexer = new Lexer(`${inner}\n`, "");
  const parts: ByteString[] = [];
  let open = directive;
  for (;;) {
    const { at } = lexer;
    const token = nextOf(lexer);
    if (token === null) {
      // Prose may have a quote without its end.
      const rest = line.slice(at);
      parts.push(open.hidesNext ? open.take("", rest) : proseWithoutSecrets(rest));
      return [parts.join(""), open];
    }
    parts.push(line.slice(at, token.start));
    if (token.kind === "end") return [proseWithoutSecrets(parts.join("")), open];
    const raw = line.slice(token.start, lexer.at);
    if (token.kind === "word") parts.push(open.take(token.text, raw));
    else {
      parts.push(raw);
      open = new SecretWords();
    }
  }
}

/** @returns null where the text does not follow the language */
function nextOf(lexer: Lexer): Token | null {
  try {
    return lexer.next();
  } catch {
    return null;
  }
}
