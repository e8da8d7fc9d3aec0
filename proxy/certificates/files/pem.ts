/**
 * The blocks of a PEM text (RFC 7468) with that label; a file may hold others, and words between them. One that
 * is cut off is among them, so that OpenSSL can say so.
 */
export function blocks(text: string, label: string): readonly string[] {
  const begin = `-----BEGIN ((?:[A-Z0-9.]+ )?${label})-----`;
  const block = new RegExp(`${begin}[^]*?(?:-----END \\1-----|$)`, "g");
  return [...text.matchAll(block)].map(([whole]) => `${whole}\n`);
}
