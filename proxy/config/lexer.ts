/**
 * nginx's configuration language, first half: text into words and punctuation.
 *
 * The rules are those of nginx's ngx_conf_read_token, among them the odd ones: a quote or `#` is special
 * only where a word starts, `}` likewise, and a backslash keeps itself unless it stands before a quote,
 * a backslash, or one of `t`, `r`, `n`.
 */
import { ConfigError, unfinished } from "./error.ts";

export type Token =
  | { readonly kind: "word"; readonly text: string; readonly line: number }
  | { readonly kind: ";" | "{" | "}" | "end"; readonly line: number };

/** Bytes in one word: nginx's read buffer, which no token may exceed. */
const LONGEST_WORD = 4096;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "\\": "\\",
  t: "\t",
  r: "\r",
  n: "\n",
};

export class Lexer {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /** @throws ConfigError on an unfinished or overlong word, with nginx's text */
  next(): Token {
    this.#skipBlanks();
    const line = this.#line;
    const first = this.#text[this.#at];
    if (first === undefined) return { kind: "end", line };
    if (first === ";" || first === "{" || first === "}") {
      this.#at++;
      return { kind: first, line };
    }
    const text = first === '"' || first === "'" ? this.#quoted(first) : this.#bare();
    return { kind: "word", text, line };
  }

  #skipBlanks(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === "\n") this.#line++;
      else if (char === "#") {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end === -1 ? this.#text.length : end;
        continue;
      } else if (char !== " " && char !== "\t" && char !== "\r") return;
      this.#at++;
    }
  }

  #bare(): string {
    const start = this.#at;
    let word = "";
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw unfinished({ file: this.#file, line: this.#line });
      if (isBlank(char) || char === ";" || (char === "{" && this.#text[this.#at - 1] !== "$"))
        break;
      word += this.#character(char);
      this.#bound(start, word);
    }
    return word;
  }

  #quoted(quote: string): string {
    const start = this.#at++;
    const opened = this.#line;
    let word = "";
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw unfinished({ file: this.#file, line: this.#line });
      if (char === quote) break;
      word += this.#character(char);
      if (this.#at - start > LONGEST_WORD) {
        throw new ConfigError(
          `too long parameter, probably missing terminating "${quote}" character`,
          { file: this.#file, line: opened },
        );
      }
    }
    this.#at++;
    const after = this.#text[this.#at];
    if (after !== undefined && !isBlank(after) && after !== ";" && after !== "{" && after !== ")") {
      throw this.#error(`unexpected "${after}"`);
    }
    return word;
  }

  /** Takes one character of a word, or one escape. */
  #character(char: string): string {
    this.#at++;
    if (char === "\n") this.#line++;
    if (char !== "\\") return char;
    const next = this.#text[this.#at];
    if (next === undefined) return char;
    this.#at++;
    if (next === "\n") this.#line++;
    return ESCAPES[next] ?? char + next;
  }

  #bound(start: number, word: string): void {
    if (this.#at - start > LONGEST_WORD) {
      throw this.#error(`too long parameter "${word.slice(0, 10)}..." started`);
    }
  }

  #error(message: string): ConfigError {
    return new ConfigError(message, { file: this.#file, line: this.#line });
  }
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t" || char === "\r" || char === "\n";
}
