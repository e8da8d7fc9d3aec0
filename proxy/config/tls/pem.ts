/** The blocks of a PEM text (RFC 7468) with that label; a file may hold others, and words between them. */
export function blocks(text: string, label: string): readonly string[] {
  const block = new RegExp(`-----BEGIN ((?:[A-Z0-9.]+ )?${label})-----[^]*?-----END \\1-----`, "g");
  return [...text.matchAll(block)].map(([whole]) => `${whole}\n`);
}
