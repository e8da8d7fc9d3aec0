/** Secrets that we make ourselves: long and random, so that a fast digest keeps them. */

/** What the directory keeps of an app password or an admin token: SHA-256, in hex. */
export async function digestOf(secret: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Without the letters and digits that people take for others (0 and o, 1 and l). */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";

/**
 * A secret of 120 bits that people can type: `hxwm-…`, six groups of four.
 *
 * @returns letters, digits and hyphens only, so that no protocol and no mail program alters it
 */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const letters = Array.from(bytes, (byte) => LETTERS.charAt(byte % LETTERS.length)).join("");
  return letters.replace(/(.{4})(?!$)/g, "$1-");
}
