/**
 * nginx's configuration language, second half: words into directives.
 *
 * Directives are handed out one at a time, so that a mistake on line 3 is reported before one on line 10
 * whichever kind they are, as nginx does, and so that a block that is not ours can be skipped unread.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import { decoded } from "../../bytes.ts";
import { ConfigError, type Place, shown, unfinished } from "./error.ts";
import type { Diagnostics } from "./diagnostics.ts";
import type { Directive } from "./directive.ts";
import { Lexer } from "./lexer.ts";

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
   * @returns the next directive, or how the current block or the file ends
   * @throws ConfigError where the text is not in the language, with nginx's words
   */
  next(): Directive | BlockEnd {
    const words: ByteString[] = [];
    for (;;) {
      const token = this.#lexer.next();
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
      const advice = `is the ";" missing behind "${decoded(words.join(" ")).slice(0, 80)}"?`;
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

/** @param opened where the block begins that does not end */
export function unexpectedEnd(place: Place, opened: Place): ConfigError {
  const advice = `the "{" in ${shown(opened)} is not closed`;
  return new ConfigError('unexpected end of file, expecting "}"', place, advice);
}
