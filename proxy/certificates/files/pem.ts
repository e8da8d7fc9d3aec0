/**
 * The blocks with a label in a PEM text (RFC 7468). A file may hold other blocks, and text between blocks. A block
 * that is cut off counts, so that OpenSSL can report it.
 */
export function blocks(text: string, label: string): readonly string[] {
  const begin = `-----BEGIN ((?:[A-Z0-9.]+ )?${label})-----`;
  const block = new RegExp(`${begin}[^]*?(?:-----END \\1-----|$)`, "g");
  return [...text.matchAll(block)].map(([whole]) => `${whole}\n`);
}
