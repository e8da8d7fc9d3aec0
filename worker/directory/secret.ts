/** Generated secrets: app passwords and admin tokens. They are long and random, so a fast digest protects them. */

/** SHA-256, in hex: the form in which the directory keeps an app password or an admin token. */
export async function digestOf(secret: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Letters and digits without those that people confuse (0 and o, 1 and l). */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";

/**
 * Makes a secret of 120 bits that people can type: `hxwm-…`, six groups of four.
 *
 * @returns letters, digits and hyphens, which no protocol and no mail program alters
 */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const letters = Array.from(bytes, (byte) => LETTERS.charAt(byte % LETTERS.length)).join("");
  return letters.replace(/(.{4})(?!$)/g, "$1-");
}
