/** A configuration's text as it may be shown: without the passwords of URLs. */
export function withoutPasswords(text: string): string {
  return text.replace(/([a-z][a-z\d]*:\/\/[^\s":]*:)[^\s"]*(?=@)/gi, "$1***");
}
