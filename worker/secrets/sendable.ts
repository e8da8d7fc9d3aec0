/**
 * Whether a text may stand in a header of a reply and arrive as it is: nginx does not unescape there, and
 * takes blanks away at both ends. Printable ASCII, so that no intermediary has an opinion on its bytes.
 */
export function isSendable(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}
