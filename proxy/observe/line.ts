/** Makes text fit into one line of a log. */

/** Bytes that a pipe takes in one piece. No write is longer, so that lines of several workers do not mix. */
export const PIPE_BUF = 4096;

/** Cuts a line to `most` bytes with its line end, between characters. */
export function bounded(line: string, most: number): string {
  // A UTF-16 unit takes at most three bytes.
  if (line.length * 3 < most || Buffer.byteLength(line) < most) return line;
  const bytes = Buffer.from(line).subarray(0, most - 1);
  return new TextDecoder().decode(bytes, { stream: true });
}

/** Characters of a value that a peer has chosen. */
const LONGEST_FIELD = 200;

export function clipped<Text extends string | null>(text: Text): Text | string {
  return text === null || text.length <= LONGEST_FIELD ? text : `${text.slice(0, LONGEST_FIELD)}…`;
}

/**
 * The characters that no log shows raw: controls of C0 and C1 and DEL, which a terminal obeys, U+2028 and U+2029, which
 * end lines, and the controls of bidirectional text, which reorder what a reader sees (Unicode TR 36, section 2.7).
 */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Escapes unsafe characters: a peer may send line ends and terminal escapes. */
export function printable(text: string): string {
  return text.replace(UNSAFE, hexadecimal);
}

/** `\x0A`, as nginx writes a byte that is not printable, and `\u2028` for a character beyond a byte. */
export function hexadecimal(char: string): string {
  const code = char.charCodeAt(0);
  return code > 0xff ? unicode(char) : `\\x${hex(code, 2)}`;
}

/** Escapes what JSON.stringify leaves raw, so that the text is the same JSON. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, unicode);
}

/** `\u000A`, as in JSON. */
function unicode(char: string): string {
  return `\\u${hex(char.charCodeAt(0), 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, "0");
}
