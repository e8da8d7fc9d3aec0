/** Lines that stay in one piece. */

/** Cut to as many bytes as a line may have with its end, between characters. */
export function bounded(line: string, most: number): string {
  if (Buffer.byteLength(line) < most) return line;
  const bytes = Buffer.from(line).subarray(0, most - 1);
  return new TextDecoder().decode(bytes, { stream: true });
}

/** Characters of a field that somebody else chose. */
const LONGEST_FIELD = 200;

export function clipped<Text extends string | null>(text: Text): Text | string {
  return text === null || text.length <= LONGEST_FIELD ? text : `${text.slice(0, LONGEST_FIELD)}…`;
}

/** What a peer sent may hold line ends and terminal escapes; a log line holds neither. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, hexadecimal);
}

/** `\x0A`, as nginx writes a byte that it does not print. */
export function hexadecimal(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
