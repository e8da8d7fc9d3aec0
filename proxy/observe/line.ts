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

/** Escapes control characters: a peer may send line ends and terminal escapes. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, hexadecimal);
}

/** `\x0A`, as nginx writes a byte that is not printable. */
export function hexadecimal(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
