/** Bytes that have arrived and are not yet understood, taken by line or by count. */
import type { ByteString } from "../../shared/lookup.ts";

/** A line or a reply is longer than its limit, so the connection cannot go on. */
export class TooLong extends Error {
  override name = "TooLong";
}

export class Input {
  /** A string, because V8 appends to a string without copying what it holds. */
  #held: ByteString = "";
  /** Bytes already searched for LF, so that a line that comes byte by byte is searched once. */
  #searched = 0;

  get length(): number {
    return this.#held.length;
  }

  append(bytes: Uint8Array): void {
    const chunk = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#held += chunk.toString("latin1");
  }

  /**
   * Takes a line with its line end, CRLF or LF.
   *
   * @returns null while the line has not arrived whole
   * @throws TooLong beyond `limit` bytes, arrived whole or not
   */
  line(limit: number): ByteString | null {
    const end = this.#held.indexOf("\n", this.#searched);
    if (end === -1) this.#searched = this.#held.length;
    if ((end === -1 ? this.#held.length : end) >= limit) throw new TooLong();
    return end === -1 ? null : this.#take(end + 1);
  }

  /** Takes `count` bytes, or null while they have not all arrived. */
  bytes(count: number): ByteString | null {
    return this.#held.length < count ? null : this.#take(count);
  }

  /** The first bytes, left in place. */
  peek(count: number): ByteString {
    return this.#held.slice(0, count);
  }

  /** Takes everything. */
  rest(): Uint8Array {
    return Buffer.from(this.#take(this.#held.length), "latin1");
  }

  #take(count: number): ByteString {
    const taken = this.#held.slice(0, count);
    this.#held = count === this.#held.length ? "" : this.#held.slice(count);
    this.#searched = 0;
    return taken;
  }
}

/** The text of a line without its end, or null where a CR stands elsewhere, which ends no line (RFC 5321 section 2.3.8). */
export function chomp(line: ByteString): ByteString | null {
  const text = line.endsWith("\r\n") ? line.slice(0, -2) : line.slice(0, -1);
  return text.includes("\r") ? null : text;
}

/** Removes trailing spaces. A regular expression would look at a long run of spaces once for each of them. */
export function trimSpaces(text: ByteString): ByteString {
  return trimEnd(text, " ");
}

/** Removes trailing spaces and TABs. */
export function trimBlanks(text: ByteString): ByteString {
  return trimEnd(text, " \t");
}

/** Removes leading and trailing spaces. */
export function stripSpaces(text: ByteString): ByteString {
  return trimEnd(trimStart(text, " "), " ");
}

/** Removes leading and trailing spaces and TABs. */
export function stripBlanks(text: ByteString): ByteString {
  return trimEnd(trimStart(text, " \t"), " \t");
}

function trimStart(text: ByteString, blanks: string): ByteString {
  let start = 0;
  while (start < text.length && blanks.includes(text.charAt(start))) start++;
  return text.slice(start);
}

function trimEnd(text: ByteString, blanks: string): ByteString {
  let end = text.length;
  while (end > 0 && blanks.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
