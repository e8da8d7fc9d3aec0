const URL_PASSWORD = /([a-z][a-z\d]*:\/\/[^\s":]*:)[^\s"]*(?=@)/gi;

/** A word as nginx reads it, in quotes or not. */
const WORD = String.raw`(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:[^\s;"'\\]|\\.)(?:[^\s;\\]|\\.)*)`;

/** The header's value is often the key of the lookup endpoint. */
const HEADER = new RegExp(String.raw`(\bauth_http_header\s+${WORD}\s+)${WORD}`, "gs");

/** Replaces the passwords of URLs and the values of lookup headers by `***`. */
export function withoutSecrets(text: string): string {
  return text.replace(URL_PASSWORD, "$1***").replace(HEADER, "$1***");
}
