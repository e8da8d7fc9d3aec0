/**
 * True if a text arrives unchanged in a reply's header. nginx does not unescape there, and trims blanks at both ends.
 * Intermediaries may alter bytes outside printable ASCII.
 */
export function isSendable(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}
