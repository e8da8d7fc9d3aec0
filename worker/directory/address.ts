/** Normalizes users' addresses before they are compared. */
import { domainToASCII } from "node:url";

/** Makes addresses of other login names. An environment without variables leaves both unset. */
export interface AddressRules {
  /** The domain of a bare user name; empty to leave the name bare. */
  readonly defaultDomain?: string;
  /** Those of `%` and `!` that replace an @: `user%domain`, as in Courier, and `domain!user`, as in UUCP. */
  readonly separators?: string;
}

/**
 * Puts a login name into the form in which the directory keeps addresses: lower case, since mail services do not
 * give two users addresses that differ only by case, and the domain in its IDNA form (RFC 5891).
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

/** Normalizes twice: a small letter may have a precomposed form where the capital has none ("J\u030C", "\u01F0"). */
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

/** Characters that end the host in a URL, or mean something else there. */
const NOT_IN_DOMAIN = /[\s/:?#@\\%[\]]/;

/** Leaves an invalid domain as it is, but in lower case. No user has such a domain. */
export function normalDomain(domain: string): string {
  const ascii = NOT_IN_DOMAIN.test(domain) ? "" : domainToASCII(domain);
  return ascii === "" ? domain.toLowerCase() : ascii;
}
