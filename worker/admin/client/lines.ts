/** Splits a file into numbered lines of bounded length, and recognises files that are not text. */
import { UsageError } from "./errors.ts";

export interface FileLine {
  /** Counted from 1. */
  readonly number: number;
  /** The readable part of a faulty line. */
  readonly text: string;
  /** The reason why the line can hold no user; null where it can. */
  readonly fault: string | null;
}

/** Bytes. The longest address and the longest hash together take a third of this. */
const LONGEST = 4096;

const LF = 0x0a;

/** @throws UsageError where the file is not text */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FileLine> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 0;
  const take = () => {
    number += 1;
    const line = { number, ...read(Buffer.concat(parts), length, number === 1) };
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      hold(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    hold(chunk.subarray(start));
  }
  if (length > 0) yield take();

  /** Keeps the bytes within the bound, and counts all. */
  function hold(part: Uint8Array): void {
    if (length < LONGEST) parts.push(part.subarray(0, LONGEST - length));
    length += part.length;
  }
}

// Both decoders remove a byte order mark.
const strict = new TextDecoder("utf-8", { fatal: true });
const lenient = new TextDecoder();

/** @throws UsageError */
function read(bytes: Buffer, length: number, isFirst: boolean): Omit<FileLine, "number"> {
  const hex = bytes.toString("hex", 0, 8);
  const signature = isFirst && SIGNATURES.find(([start]) => hex.startsWith(start));
  if (signature) throw new UsageError(`the file is ${signature[1]}`);
  const text = lenient.decode(bytes).replace(/\r$/, "");
  return { text, fault: faultOf(bytes, text, length) };
}

/** The first bytes of files that are not text, with advice for each. */
const SIGNATURES = [
  ["1f8b", "compressed; unpack it first (gunzip)"],
  ["fd377a585a00", "compressed; unpack it first (unxz)"],
  ["28b52ffd", "compressed; unpack it first (unzstd)"],
  ["504b0304", "an archive or a spreadsheet; unpack it, or save it as CSV"],
  ["fffe", "UTF-16; make it UTF-8 first (iconv -f utf-16 -t utf-8)"],
  ["feff", "UTF-16; make it UTF-8 first (iconv -f utf-16 -t utf-8)"],
] as const;

function faultOf(bytes: Buffer, text: string, length: number): string | null {
  if (length > LONGEST) return `the line has ${length} bytes, and a user takes at most ${LONGEST}`;
  try {
    strict.decode(bytes);
  } catch {
    return "the line is not UTF-8";
  }
  const [control] = /(?!\t)\p{Cc}/u.exec(text) ?? [];
  const code = control?.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase();
  return code === undefined ? null : `the line has a control character (U+${code})`;
}
