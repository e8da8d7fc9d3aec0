/** Of a RCPT command, whom it names. */
import { type AddressRules, normalAddress } from "../directory/address.ts";

/**
 * RFC 5321 section 4.1.1.3: `RCPT TO:<@route:user@domain> PARAMETERS`; the route is to be ignored, and
 * `<Postmaster>` has no domain. What the quotation marks of `"user"@domain` enclose is the user (section 4.1.2).
 */
const RECIPIENT =
  /^RCPT +TO: *<(?:@[^:>]*:)?(?:([^<>\s"]+)|"((?:[^"\\]|\\.)+)"(@[^<>\s@]+))>(?: |$)/i;

/** @returns the recipient in the form of `normalAddress`; null where it is no address */
export function recipientOf(command: string, addresses: AddressRules): string | null {
  const match = RECIPIENT.exec(command);
  if (match === null) return null;
  const [, plain, quoted = "", domain = ""] = match;
  const written = plain ?? quoted.replace(/\\(.)/g, "$1") + domain;
  const address = normalAddress(written, { ...addresses, separators: "" });
  return address.includes("@") ? address : null;
}
