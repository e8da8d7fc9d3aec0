/**
 * IMAP's command grammar before the login (RFC 9051 section 9; nginx's reading of it): a tag, a name, and up to three
 * arguments, each an atom, a quoted string or a literal. A literal spreads a command over several lines, between
 * which the client waits for our `+`, so the parser keeps the part that it has read.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import { type Input, TooLong } from "../../transport/index.ts";

type Name = "CAPABILITY" | "NOOP" | "LOGOUT" | "STARTTLS" | "LOGIN" | "AUTHENTICATE" | "ID";

const NAMES: ReadonlyMap<string, Name> = new Map(
  (["CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "LOGIN", "AUTHENTICATE", "ID"] as const).map(
    (name) => [name, name],
  ),
);

export type ParseResult =
  | {
      readonly kind: "command";
      readonly tag: ByteString;
      readonly name: Name;
      readonly args: readonly ByteString[];
    }
  /** The client waits for `+` before it sends a literal. */
  | { readonly kind: "continue" }
  /**
   * The line is not a command. `literalFollows` is true where the client sends a literal without waiting (RFC 7888),
   * which must not be taken for commands.
   */
  | {
      readonly kind: "invalid";
      readonly tag: ByteString | null;
      readonly line: ByteString;
      readonly literalFollows: boolean;
    };

export interface ParserOptions {
  /** Bytes of a command, its literals included. */
  readonly maxCommand: number;
  /** Bytes of AUTHENTICATE, which may carry a SASL response. */
  readonly maxAuthenticate: number;
  /** True where ID is a command (`proxy_client_id`). */
  readonly acceptsId: boolean;
}

const MAX_ARGUMENTS = 3;
/** RFC 2971 section 3.3: thirty fields with their values, each a word of the list, and its end. */
const MAX_ID_ARGUMENTS = 61;
const AUTHENTICATE = /^\S+ +AUTHENTICATE /i;
const TAG = /^[A-Za-z0-9._-]{1,32}$/;
const LETTERS = /^[A-Za-z]+$/;
/** nginx accepts any number of CRs after a literal's size. */
const LITERAL = /^\{(\d*)(\+?)\}\r*$/;
const LITERAL_AT_END = /\{\d*\+\}$/;
const NON_SYNCHRONIZING = /\+\}\r*$/;

const CONTINUE = { kind: "continue" } as const;

export class CommandParser {
  readonly #options: ParserOptions;
  // The command whose next line or literal is awaited:
  #tag: ByteString | null = null;
  #name: Name | null = null;
  #args: ByteString[] = [];
  #literal: number | null = null;
  #size = 0;

  constructor(options: ParserOptions) {
    this.#options = options;
  }

  /** The tag of the command that is partly read. */
  get tag(): ByteString | null {
    return this.#tag;
  }

  /** @throws TooLong */
  next(input: Input): ParseResult | null {
    const limit = this.#limit(input);
    if (this.#literal !== null && !this.#takeLiteral(input, limit, this.#literal)) return null;
    const line = this.#takeLine(input, limit);
    if (line === null) return null;
    this.#size += line.length;
    const text = line.endsWith("\r\n") ? line.slice(0, -2) : line.slice(0, -1);
    const result = this.#parse(text);
    if (result.kind !== "continue") this.#reset();
    // The client sends this literal without waiting, so it gets no reply.
    else if (NON_SYNCHRONIZING.test(text)) return this.next(input);
    return result;
  }

  /** Like nginx, asks for a literal that cannot fit, and refuses it when the buffer is full. */
  #takeLiteral(input: Input, limit: number, size: number): boolean {
    const room = limit - this.#size;
    if (size > room && input.length >= room) throw new TooLong();
    const value = input.bytes(size);
    if (value === null) return false;
    this.#size += size;
    this.#args.push(value);
    this.#literal = null;
    return true;
  }

  /** Finds the tag of a line that is too long, because the refusal carries it. */
  #takeLine(input: Input, limit: number): ByteString | null {
    try {
      return input.line(limit - this.#size);
    } catch (error) {
      const start = input.peek(64);
      const tag = start.slice(0, Math.max(start.indexOf(" "), 0));
      if (this.#tag === null && TAG.test(tag)) this.#tag = tag;
      throw error;
    }
  }

  #limit(input: Input): number {
    const { maxCommand, maxAuthenticate } = this.#options;
    const isAuthenticate =
      this.#tag === null
        ? input.length >= maxCommand && AUTHENTICATE.test(input.peek(64))
        : this.#name === "AUTHENTICATE";
    return isAuthenticate ? maxAuthenticate : maxCommand;
  }

  #parse(text: ByteString): ParseResult {
    const start = this.#tag === null ? this.#parseStart(text) : afterLiteral(text);
    if (start === null || !this.#parseArguments(text, start)) {
      const literalFollows = NON_SYNCHRONIZING.test(text);
      return { kind: "invalid", tag: this.#tag, line: text, literalFollows };
    }
    if (this.#literal !== null || this.#tag === null || this.#name === null) return CONTINUE;
    return { kind: "command", tag: this.#tag, name: this.#name, args: this.#args };
  }

  /** Reads the tag and the name. @returns where the arguments begin, or null */
  #parseStart(text: ByteString): number | null {
    const tagEnd = text.indexOf(" ");
    const tag = text.slice(0, Math.max(tagEnd, 0));
    if (!TAG.test(tag)) return null;
    this.#tag = tag;
    const nameStart = skipSpaces(text, tagEnd);
    const nameEnd = endOfWord(text, nameStart);
    const word = text.slice(nameStart, nameEnd);
    const name = LETTERS.test(word) ? NAMES.get(word.toUpperCase()) : undefined;
    if (name === undefined || (name === "ID" && !this.#options.acceptsId)) return null;
    this.#name = name;
    return nameEnd;
  }

  /** @returns false where an argument is invalid; sets `#literal` where the last one is a literal to come */
  #parseArguments(text: ByteString, start: number): boolean {
    for (let at = start; ;) {
      at = skipSpaces(text, at);
      if (at === text.length) return true;
      const max = this.#name === "ID" ? MAX_ID_ARGUMENTS : MAX_ARGUMENTS;
      if (this.#args.length === max) return false;
      if (text[at] === "{") {
        const [, digits, plus] = LITERAL.exec(text.slice(at)) ?? [];
        if (plus === undefined) return false;
        this.#literal = Number(digits);
        return true;
      }
      const quoted = text[at] === '"';
      const end = quoted ? endOfQuoted(text, at) : endOfWord(text, at);
      if (end === null) return false;
      const value = quoted ? unescaped(text.slice(at + 1, end - 1)) : text.slice(at, end);
      // A CR that ends no line is not part of a command, and no atom holds `{` (RFC 9051 section 9): its client
      // may mean a literal, such as `~{5+}` (RFC 3516), and send it without waiting.
      if (value.includes("\r") || (!quoted && LITERAL_AT_END.test(value))) return false;
      this.#args.push(value);
      at = end;
    }
  }

  #reset(): void {
    this.#name = null;
    this.#tag = null;
    this.#args = [];
    this.#literal = null;
    this.#size = 0;
  }
}

/** A space separates a literal from the next argument. @returns where the arguments go on, or null */
function afterLiteral(text: ByteString): number | null {
  return text === "" || text.startsWith(" ") ? 0 : null;
}

function skipSpaces(text: ByteString, start: number): number {
  let at = start;
  while (text[at] === " ") at++;
  return at;
}

function endOfWord(text: ByteString, start: number): number {
  const space = text.indexOf(" ", start);
  return space === -1 ? text.length : space;
}

/** @returns the index behind the closing quote, or null where none stands there */
function endOfQuoted(text: ByteString, start: number): number | null {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return at + 1;
    if (text[at] === "\\") at++;
  }
  return null;
}

function unescaped(text: ByteString): ByteString {
  return text.includes("\\") ? text.replace(/\\(.)/gs, "$1") : text;
}
