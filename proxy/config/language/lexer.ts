/**
 * nginx's configuration language, first half: bytes into words and punctuation.
 *
 * The rules are those of nginx's ngx_conf_read_token. A quote, `#` or `}` is special only where a word starts.
 * `{` behind a `$` is part of the word. A backslash stays in the word unless a quote, a backslash, or one of
 * `t`, `r`, `n` follows it.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import { decoded } from "../../bytes.ts";
import { ConfigError, unfinished } from "./error.ts";
import { shownWords } from "./secrets/words.ts";

export type Token = {
  readonly line: number;
  /** The index of its first byte in the text. */
  readonly start: number;
} & (
  | { readonly kind: "word"; readonly text: ByteString }
  | { readonly kind: ";" | "{" | "}" | "end" }
);

/** Bytes of nginx's read buffer. A word must fit with the byte that ends it, a quoted one with the next byte too. */
const BUFFER = 4096;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "\\": "\\",
  t: "\t",
  r: "\r",
  n: "\n",
};

export class Lexer {
  readonly #text: ByteString;
  readonly #file: string;
  #at = 0;
  #line = 1;
  #before: readonly ByteString[] = [];

  constructor(text: ByteString, file: string) {
    this.#text = text;
    this.#file = file;
  }

  /** The index behind the last token. */
  get at(): number {
    return this.#at;
  }

  /**
   * @param before the words before it in its directive, by which an error knows that this one is a secret
   * @throws ConfigError on an unfinished or overlong word, with nginx's text
   */
  next(before: readonly ByteString[] = []): Token {
    this.#before = before;
    this.#skipBlanks();
    const line = this.#line;
    const start = this.#at;
    const first = this.#text[start];
    if (first === undefined) return { kind: "end", line, start };
    if (first === ";" || first === "{" || first === "}") {
      this.#at++;
      return { kind: first, line, start };
    }
    const text = first === '"' || first === "'" ? this.#quoted(first) : this.#bare();
    return { kind: "word", text, line, start };
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

  #bare(): ByteString {
    const start = this.#at;
    const opened = this.#line;
    let word = "";
    let variable = false;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#unfinished();
      if (isBlank(char) || char === ";" || (char === "{" && !variable)) break;
      variable = char === "$" || (variable && char === "{");
      word += this.#character(char);
      if (this.#at - start >= BUFFER) throw this.#tooLong(start, opened);
    }
    return word;
  }

  #quoted(quote: string): ByteString {
    const start = ++this.#at;
    const opened = this.#line;
    let word = "";
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#unfinished();
      if (char === quote) break;
      word += this.#character(char);
      if (this.#at - start >= BUFFER) {
        const what = `too long parameter, probably missing terminating "${quote}" character`;
        throw new ConfigError(what, { file: this.#file, line: opened });
      }
    }
    this.#at++;
    if (this.#at - start >= BUFFER) throw this.#tooLong(start, opened);
    const after = this.#text[this.#at];
    if (after !== undefined && !isBlank(after) && after !== ";" && after !== "{" && after !== ")") {
      const place = { file: this.#file, line: this.#line };
      throw new ConfigError(`unexpected "${decoded(after)}"`, place);
    }
    return word;
  }

  /** Reads one character of a word, or one escape. */
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

  #tooLong(start: number, line: number): ConfigError {
    const word = this.#text.slice(start, start + BUFFER);
    const begins = decoded((shownWords([...this.#before, word]).at(-1) ?? "").slice(0, 10));
    return new ConfigError(`too long parameter "${begins}..." started`, { file: this.#file, line });
  }

  #unfinished(): ConfigError {
    return unfinished({ file: this.#file, line: this.#line });
  }
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t" || char === "\r" || char === "\n";
}
