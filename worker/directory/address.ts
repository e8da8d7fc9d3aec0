/** Normalizes users' addresses before they are compared. */
import { comparableAddress } from "../../shared/user-address.ts";

/** Makes addresses of other login names. An environment without variables leaves both unset. */
export interface AddressRules {
  /** The domain of a bare user name; empty to leave the name bare. */
  readonly defaultDomain?: string;
  /** Those of `%` and `!` that replace an @: `user%domain`, as in Courier, and `domain!user`, as in UUCP. */
  readonly separators?: string;
}

/** Puts a login name into the form in which the directory keeps addresses. */
export function normalAddress(
  login: string,
  { defaultDomain = "", separators = "" }: AddressRules = {},
): string {
  const address = separated(login, separators);
  const isBare = defaultDomain !== "" && !address.includes("@");
  return comparableAddress(isBare ? `${address}@${defaultDomain}` : address);
}

function separated(login: string, separators: string): string {
  if (login.includes("@")) return login;
  const percent = separators.includes("%") ? login.lastIndexOf("%") : -1;
  if (percent > 0) return `${login.slice(0, percent)}@${login.slice(percent + 1)}`;
  const bang = separators.includes("!") ? login.indexOf("!") : -1;
  return bang > 0 ? `${login.slice(bang + 1)}@${login.slice(0, bang)}` : login;
}
