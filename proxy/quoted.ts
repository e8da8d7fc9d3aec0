/**
 * Quotes a peer's text for the error log. A quotation mark in it is written as `\x22`: it would end the text, and what
 * follows could pass for a field of the line, such as `client: ADDRESS`. nginx writes it as it is.
 */
export function quoted(text: string): string {
  return `"${text.includes('"') ? text.replaceAll('"', String.raw`\x22`) : text}"`;
}
