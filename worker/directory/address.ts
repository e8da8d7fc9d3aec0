/** How names of users are written before they are compared. */
import { domainToASCII } from "node:url";

/** What a login name means where it is no address. Both may be unset, as in an environment without variables. */
export interface AddressRules {
  /** For a bare user name; empty to leave it bare. */
  readonly defaultDomain?: string;
  /** Of `%` and `!`, those that stand for an @: `user%domain`, as for Courier, and `domain!user`, as for UUCP. */
  readonly separators?: string;
}

/**
 * Brings a login name into the form in which the directory keeps addresses: lower case throughout,
 * since nobody gives two people addresses that differ by case alone, and the domain as DNS has it
 * (IDNA, RFC 5891).
 */
export function normalAddress(
  login: string,
  { defaultDomain = "", separators = "" }: AddressRules = {},
): string {
  const address = separated(login, separators);
  const at = address.lastIndexOf("@");
  const user = lowerCase(at === -1 ? address : address.slice(0, at));
  const domain = at === -1 ? defaultDomain : address.slice(at + 1);
  return at === -1 && domain === "" ? user : `${user}@${normalDomain(domain)}`;
}

/** A small letter may have one character with its accent where the capital has none: "J\u030C", "\u01F0". */
function lowerCase(text: string): string {
  return text.normalize("NFC").toLowerCase().normalize("NFC");
}

function separated(login: string, separators: string): string {
  if (login.includes("@")) return login;
  const percent = separators.includes("%") ? login.lastIndexOf("%") : -1;
  if (percent > 0) return `${login.slice(0, percent)}@${login.slice(percent + 1)}`;
  const bang = separators.includes("!") ? login.indexOf("!") : -1;
  return bang > 0 ? `${login.slice(bang + 1)}@${login.slice(0, bang)}` : login;
}

/** Characters that a URL's host would end at, or take for something else. */
const NO_DOMAIN = /[\s/:?#@\\%[\]]/;

/** What is no domain at all stays as it is, and is nobody's. */
export function normalDomain(domain: string): string {
  const ascii = NO_DOMAIN.test(domain) ? "" : domainToASCII(domain);
  return ascii === "" ? domain.toLowerCase() : ascii;
}
