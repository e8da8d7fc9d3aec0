/**
 * IMAP's command grammar before the login (RFC 9051 section 9; nginx's reading of it): a tag, a name, and up
 * to three arguments, each an atom, a quoted string or a literal. A literal spreads a command over several
 * lines, and the client waits for our `+` between them, so what is read so far is kept here.
 */
import type { ByteString } from "../../../shared/lookup.ts";
import { type Input, TooLong } from "../../transport/index.ts";

export interface ImapCommand {
  readonly tag: ByteString;
  readonly name: Name;
  readonly args: readonly ByteString[];
}

export type ParseResult =
  | { readonly kind: "command"; readonly command: ImapCommand }
  /** The client waits for `+` before it sends a literal. */
  | { readonly kind: "continue" }
  /** Not a command; `literalFollows` when the client sends on regardless (RFC 7888), to be taken for no command. */
  | { readonly kind: "invalid"; readonly tag: ByteString | null; readonly literalFollows: boolean };

/** Bytes of a command, its literals included. */
export interface CommandLimits {
  readonly command: number;
  /** Of one that may carry a SASL response. */
  readonly authenticate: number;
}

const NAMES = ["CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "LOGIN", "AUTHENTICATE", "ID"] as const;
type Name = (typeof NAMES)[number];

const MOST_ARGUMENTS = 3;
/** RFC 2971 section 3.3: thirty fields with their values, each a word of the list, and its end. */
const MOST_OF_ID = 61;
const AUTHENTICATE = /^\S+ +AUTHENTICATE /i;
const TAG = /^([A-Za-z0-9._-]{1,32}) +/;
const NAME = /^([A-Za-z]+)(?: +|$)/;
/** nginx takes any number of CRs behind it. */
const LITERAL = /^\{(\d*)(\+?)\}\r*$/;
const UNASKED = /\+\}\r*$/;

export class CommandParser {
  /** The command whose literal is awaited. */
  #tag: ByteString | null = null;
  #name: Name | null = null;
  #args: ByteString[] = [];
  #literal: number | null = null;
  #size = 0;
  readonly #understands: (name: Name) => boolean;

  /** @param understands whether a command is one here and now */
  constructor(understands: (name: Name) => boolean) {
    this.#understands = understands;
  }

  /** Of the command of which part has been read. */
  get tag(): ByteString | null {
    return this.#tag;
  }

  /**
   * @param limits bytes of a whole command, its literals included
   * @throws TooLong
   */
  next(input: Input, limits: CommandLimits): ParseResult | null {
    const limit = this.#limit(input, limits);
    if (this.#literal !== null) {
      // One that cannot fit is asked for, as nginx does, and refused when there is no more room.
      const room = limit - this.#size;
      if (this.#literal > room && input.length >= room) throw new TooLong();
      const value = input.bytes(this.#literal);
      if (value === null) return null;
      this.#size += this.#literal;
      this.#args.push(value);
      this.#literal = null;
    }
    const line = this.#next(input, limit);
    if (line === null) return null;
    this.#size += line.length;
    const text = line.replace(/\r?\n$/, "");
    const reading = this.#line(text);
    if (reading.kind !== "continue") this.#reset();
    // A literal that the client sends without waiting needs no reply: read on.
    else if (UNASKED.test(text)) return this.next(input, limits);
    return reading;
  }

  /** A line that is too long is still refused under its tag. */
  #next(input: Input, limit: number): ByteString | null {
    try {
      return input.line(limit - this.#size);
    } catch (error) {
      this.#tag ??= TAG.exec(input.peek(64))?.[1] ?? null;
      throw error;
    }
  }

  /** An AUTHENTICATE may be longer than others. */
  #limit(input: Input, { command, authenticate }: CommandLimits): number {
    const long =
      this.#tag === null
        ? input.length >= command && AUTHENTICATE.test(input.peek(64))
        : this.#name === "AUTHENTICATE";
    return long ? authenticate : command;
  }

  #line(text: ByteString): ParseResult {
    const invalid = (tag: ByteString | null): ParseResult => ({
      kind: "invalid",
      tag,
      literalFollows: text.endsWith("+}"),
    });
    let rest = text;
    if (this.#tag === null) {
      const [tagged, tag] = TAG.exec(rest) ?? [];
      if (tagged === undefined || tag === undefined) return invalid(null);
      rest = rest.slice(tagged.length);
      this.#tag = tag;
      const [named, word] = NAME.exec(rest) ?? [];
      const name = NAMES.find((known) => known === word?.toUpperCase());
      if (named === undefined || name === undefined || !this.#understands(name)) {
        return invalid(tag);
      }
      rest = rest.slice(named.length);
      this.#name = name;
    } else if (rest !== "" && !rest.startsWith(" ")) return invalid(this.#tag);
    if (!this.#arguments(rest)) return invalid(this.#tag);
    if (this.#literal === null && this.#tag !== null && this.#name !== null) {
      return {
        kind: "command",
        command: { tag: this.#tag, name: this.#name, args: this.#args },
      };
    }
    return { kind: "continue" };
  }

  /** @returns whether all was understood; `#literal` is set when the last one is a literal to come */
  #arguments(text: ByteString): boolean {
    for (let at = 0; ;) {
      while (text[at] === " ") at++;
      if (at === text.length) return true;
      if (this.#args.length === (this.#name === "ID" ? MOST_OF_ID : MOST_ARGUMENTS)) return false;
      if (text[at] === "{") {
        const [, digits, plus] = LITERAL.exec(text.slice(at)) ?? [];
        if (plus === undefined) return false;
        this.#literal = Number(digits);
        return true;
      }
      const [value, end] = text[at] === '"' ? quoted(text, at + 1) : atom(text, at);
      // A CR that ends no line is no part of a command.
      if (value === null || value.includes("\r")) return false;
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

type Argument = readonly [value: ByteString | null, end: number];

function atom(text: ByteString, start: number): Argument {
  const space = text.indexOf(" ", start);
  const end = space === -1 ? text.length : space;
  return [text.slice(start, end), end];
}

/** From behind the opening quote; null where the closing one is missing. */
function quoted(text: ByteString, start: number): Argument {
  let value = "";
  for (let at = start; at < text.length; at++) {
    if (text[at] === '"') return [value, at + 1];
    if (text[at] === "\\") at++;
    value += text[at] ?? "";
  }
  return [null, text.length];
}
