/** Characters that would end the host in a URL, or be dropped from it. */
// oxlint-disable-next-line no-control-regex -- a URL drops some of them
const NOT_IN_HOST = /[\s\x00-\x1f/:?#@\\%[\]]/;

/** Puts a host name into lower case and IDNA's form of characters outside ASCII (RFC 5891). @returns null for no name */
export function idnaName(text: string): string | null {
  if (NOT_IN_HOST.test(text)) return null;
  try {
    return new URL(`http://${text}`).hostname;
  } catch {
    return null;
  }
}
