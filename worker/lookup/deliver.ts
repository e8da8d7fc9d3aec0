/** Routes mail from outside (`smtp_auth none`) by its recipient, without a login. */
import { type AddressRules, normalAddress } from "../directory/address.ts";
import type { DirectorySession } from "../directory/session.ts";
import { findUser, type MailDomain, type UserEntry } from "../directory/users.ts";
import { rank } from "../routing/index.ts";
import type { LookupContext } from "./context.ts";
import { isToBePlaced } from "./find.ts";
import { type RefusedLookup, unavailable } from "./methods/index.ts";
import { type LookupDecision, type LookupOutcome, NOT_ADMITTED, subjectOf } from "./decision.ts";
import { accept, route } from "./route.ts";
import { CLIENT_CREDENTIALS } from "./upstream-login.ts";

const UNKNOWN_USER: RefusedLookup = { kind: "refused", reason: "unknown-user" };
const UNKNOWN_DOMAIN: RefusedLookup = { kind: "refused", reason: "unknown-domain" };

/** Mail from outside has no login. */
type DeliveryDecision = Omit<LookupDecision, "login">;

export async function deliver(context: LookupContext): Promise<DeliveryDecision> {
  const { request, nearest, primary, addresses } = context;
  const address = recipientOf(request.recipient, addresses);
  // A malformed command is answered like an unknown user, since 501 is the proxy's to send.
  if (address === null) return { outcome: UNKNOWN_USER, subject: null };
  const decision = await deliverTo(address, nearest, context);
  // Refused mail goes back to its sender, so the refusal is confirmed at the primary.
  return decision.outcome.kind === "refused" && nearest.mayBeStale
    ? deliverTo(address, primary, context)
    : decision;
}

async function deliverTo(
  address: string,
  session: DirectorySession,
  context: LookupContext,
): Promise<DeliveryDecision> {
  const name = address.slice(address.lastIndexOf("@") + 1);
  const found = await findUser(session, address, context.request.client, { domain: name });
  const { admitted, domain } = found;
  if (!admitted) return { outcome: NOT_ADMITTED, subject: null };
  const open = domain?.recipients !== "none";
  const entry = open ? (found.entry ?? (await findDetailOwner(address, session, context))) : null;
  if (entry !== null) {
    // A placement is permanent, so it is decided by the primary's rows.
    if (session !== context.primary && session.mayBeStale && isToBePlaced(entry)) {
      return deliverTo(address, context.primary, context);
    }
    return { outcome: await route(entry, context), subject: subjectOf(entry.user) };
  }
  if (domain === null) return { outcome: UNKNOWN_DOMAIN, subject: null };
  const subject = { domain: name, group: domain.catchAll.group.name };
  return { outcome: await deliverToDomain(address, domain, context), subject };
}

/** Decides about an address of an unknown user, or in a closed domain. */
async function deliverToDomain(
  address: string,
  { recipients, catchAll }: MailDomain,
  context: LookupContext,
): Promise<LookupOutcome> {
  if (recipients === "none") return UNKNOWN_DOMAIN;
  if (recipients === "known" || ROUTED.test(address)) return UNKNOWN_USER;
  const { request, coordinates } = context;
  const [server, ...others] = rank(catchAll, address, request.protocol, coordinates);
  if (server === undefined) {
    return unavailable("configuration", `group ${catchAll.group.name} has no server for mail`);
  }
  return accept(server, others, CLIENT_CREDENTIALS, context);
}

/**
 * A user's part that mail servers have taken for a route to another domain: `user%other@domain`, `other!user@domain`,
 * `user@other@domain`, or none at all. A known user may have such a name; for any other a mail server could relay.
 */
const ROUTED = /^@|[@%!].*@/s;

/**
 * Finds the user of a detailed address: `alice+shop@example.test` is Alice's (RFC 5233 section 4). Her server gets
 * the whole address, and refuses it if it does not know the detail.
 */
async function findDetailOwner(
  address: string,
  session: DirectorySession,
  { request }: LookupContext,
): Promise<UserEntry | null> {
  if (ROUTED.test(address)) return null;
  const [, user, domain] = /^([^+]+)\+.*(@[^@]*)$/.exec(address) ?? [];
  if (user === undefined || domain === undefined) return null;
  return (await findUser(session, user + domain, request.client)).entry;
}

/**
 * RFC 5321 section 4.1.1.3: `RCPT TO:<@route:user@domain> PARAMETERS`. The route is ignored, and `<Postmaster>` has
 * no domain. In `"user"@domain` the quotation marks enclose the user (section 4.1.2).
 */
const RECIPIENT =
  /^RCPT +TO: *<(?:@[^:>]*:)?(?:([^<>\s"]+)|"((?:[^"\\]|\\.)+)"(@[^<>\s@]+))>(?: |$)/i;

/** @returns the recipient of a RCPT command in the form of `normalAddress`; null if it is not an address */
function recipientOf(command: string, addresses: AddressRules): string | null {
  const match = RECIPIENT.exec(command);
  if (match === null) return null;
  const [, plain, quoted = "", domain = ""] = match;
  const written = plain ?? quoted.replace(/\\(.)/g, "$1") + domain;
  const address = normalAddress(written, { ...addresses, separators: "" });
  return address.includes("@") ? address : null;
}
