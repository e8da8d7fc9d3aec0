/** Names of users in the form in which Postern's worker compares them, for logins that carry no user id. */
import { domainToASCII } from "node:url";
import type { ByteString } from "../../shared/lookup.ts";
import { decoded } from "../bytes.ts";

export function comparableLogin(login: ByteString): string {
  return comparableName(decoded(login));
}

/** Lower case in Unicode's composed form (NFC), with the domain in its IDNA form (RFC 5891). */
export function comparableName(name: string): string {
  // A small letter may have a composed form where the capital has none ("J\u030C", "\u01F0").
  const lower = name.normalize("NFC").toLowerCase().normalize("NFC");
  const at = lower.lastIndexOf("@") + 1;
  const domain = lower.slice(at);
  return at === 0 || isAscii(domain)
    ? lower
    : lower.slice(0, at) + (domainToASCII(domain) || domain);
}

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- ASCII is what is looked for
  return /^[\x00-\x7f]*$/.test(text);
}
