/** Bytes that arrived and are not yet understood, given out by line or by count. */
import type { ByteString } from "../../shared/lookup.ts";

/** A line or a reply that is longer than its limit. The connection cannot go on. */
export class TooLong extends Error {
  override name = "TooLong";
}

const EMPTY = Buffer.alloc(0);
const LF = 0x0a;

export class Input {
  #held: Buffer = EMPTY;
  /** How far LF has been looked for, so that a line that comes byte by byte is searched once. */
  #searched = 0;

  get length(): number {
    return this.#held.length;
  }

  append(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
  }

  /**
   * Takes a line with its line end, CRLF or LF.
   *
   * @returns null while it has not arrived whole
   * @throws TooLong beyond `limit` bytes, arrived whole or not
   */
  line(limit: number): ByteString | null {
    const end = this.#held.indexOf(LF, this.#searched);
    if (end === -1) this.#searched = this.#held.length;
    if ((end === -1 ? this.#held.length : end) >= limit) throw new TooLong();
    return end === -1 ? null : this.#take(end + 1).toString("latin1");
  }

  /** Takes `count` bytes, or null while they have not all arrived. */
  bytes(count: number): ByteString | null {
    return this.#held.length < count ? null : this.#take(count).toString("latin1");
  }

  /** The first bytes, left in place. */
  peek(count: number): ByteString {
    return this.#held.toString("latin1", 0, Math.min(count, this.#held.length));
  }

  /** Takes everything. */
  rest(): Uint8Array {
    return this.#take(this.#held.length);
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = count === this.#held.length ? EMPTY : this.#held.subarray(count);
    this.#searched = 0;
    return taken;
  }
}

/** The text of a line without its end, or null where a CR stands elsewhere, which ends no line (RFC 5321 section 2.3.8). */
export function chomp(line: ByteString): ByteString | null {
  const text = line.endsWith("\r\n") ? line.slice(0, -2) : line.slice(0, -1);
  return text.includes("\r") ? null : text;
}

/** Without the spaces at its end. A regular expression would look at a long run of spaces once for each of them. */
export function trimSpaces(text: ByteString): ByteString {
  return trimEnd(text, " ");
}

/** Without the spaces and TABs at its end. */
export function trimBlanks(text: ByteString): ByteString {
  return trimEnd(text, " \t");
}

function trimEnd(text: ByteString, blanks: string): ByteString {
  let end = text.length;
  while (end > 0 && blanks.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
