const USERS_PASSWORD = /([a-z][a-z\d]*:\/\/[^\s":]*:)[^\s"]*(?=@)/gi;

/** A word as nginx reads it, in quotes or not. */
const WORD = String.raw`(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:[^\s;"'\\]|\\.)(?:[^\s;\\]|\\.)*)`;

/** By which the lookup endpoint knows its callers. */
const HEADER = new RegExp(String.raw`(\bauth_http_header\s+${WORD}\s+)${WORD}`, "gs");

/** A configuration's text as it may be shown: without the passwords of URLs and the values of headers. */
export function withoutSecrets(text: string): string {
  return text.replace(USERS_PASSWORD, "$1***").replace(HEADER, "$1***");
}
