/**
 * nginx's configuration language, second half: words into directives.
 *
 * The parser returns one directive at a time. So the first mistake in a file is the one reported, whatever its
 * kind, as in nginx, and a block of another module is skipped without being read.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import { decoded } from "../../bytes.ts";
import type { Diagnostics } from "./diagnostics.ts";
import type { Directive } from "./directive.ts";
import { ConfigError, type Place, formatPlace, unfinished } from "./error.ts";
import { Lexer } from "./lexer.ts";
import { shownWords } from "./secrets/words.ts";

/** The advice quotes at most this many characters of a directive without a `;`. */
const MAX_QUOTED = 80;

export class Parser {
  readonly #lexer: Lexer;
  readonly #file: string;
  readonly #diagnostics: Diagnostics;

  constructor(text: ByteString, file: string, diagnostics: Diagnostics) {
    this.#lexer = new Lexer(text, file);
    this.#file = file;
    this.#diagnostics = diagnostics;
  }

  /**
   * @returns the next directive, or the end of the current block or of the file
   * @throws ConfigError with nginx's words where the text does not follow the language
   */
  next(): Directive | BlockEnd {
    const words: ByteString[] = [];
    for (;;) {
      const token = this.#lexer.next(words);
      const place = { file: this.#file, line: token.line };
      if (token.kind === "word") {
        words.push(token.text);
        continue;
      }
      const [name, ...args] = words;
      if (token.kind === ";" || token.kind === "{") {
        if (name === undefined) throw new ConfigError(`unexpected "${token.kind}"`, place);
        const opensBlock = token.kind === "{";
        return { ...place, name, args, opensBlock, diagnostics: this.#diagnostics };
      }
      if (name === undefined) return { end: token.kind === "}" ? "block" : "file", ...place };
      if (token.kind === "end") throw unfinished(place);
      const advice = `is the ";" missing behind "${decoded(shownWords(words).join(" ")).slice(0, MAX_QUOTED)}"?`;
      throw new ConfigError('unexpected "}"', place, advice);
    }
  }

  /** Skips the block that a directive has just opened, whatever it holds. */
  skipBlock(opened: Place): void {
    for (let depth = 1; depth > 0;) {
      const item = this.next();
      if ("end" in item) {
        if (item.end === "file") throw unexpectedEnd(item, opened);
        depth--;
      } else if (item.opensBlock) depth++;
    }
  }
}

export interface BlockEnd extends Place {
  readonly end: "block" | "file";
}

/** @param opened the place at which the unclosed block begins */
export function unexpectedEnd(place: Place, opened: Place): ConfigError {
  const advice = `the "{" in ${formatPlace(opened)} is not closed`;
  return new ConfigError('unexpected end of file, expecting "}"', place, advice);
}
