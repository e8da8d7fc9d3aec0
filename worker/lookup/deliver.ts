/** Mail from outside (`smtp_auth none`): nobody logs in, and the recipient decides where it goes. */
import { normalAddress } from "../directory/address.ts";
import { type Domain, findDomain } from "../directory/domains.ts";
import type { Reading } from "../directory/reading.ts";
import { findUser } from "../directory/users.ts";
import { POLICIES } from "../routing/index.ts";
import { type Decision, NOT_ADMITTED, type Outcome, type Refused, subjectOf } from "./outcome.ts";
import type { LookupRequest } from "./request.ts";
import { type Surroundings, accept, route } from "./route.ts";
import { NO_LOGIN } from "./upstream-login.ts";

const UNKNOWN_USER: Refused = { kind: "refused", reason: "unknown-user" };
const UNKNOWN_DOMAIN: Refused = { kind: "refused", reason: "unknown-domain" };

export async function deliver(
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Decision> {
  const { nearest, primary } = surroundings;
  const address = recipient(request.recipient);
  // The command is the client's, and the endpoint that reads it is us: 501 would be the proxy's to say.
  if (address === null) return { outcome: UNKNOWN_USER, subject: null };
  const decision = await deliverTo(address, nearest, request, surroundings);
  // Mail that is refused goes back to its sender, so not on a replica's word alone.
  return decision.outcome.kind === "refused" && nearest.mayBeBehind
    ? deliverTo(address, primary, request, surroundings)
    : decision;
}

async function deliverTo(
  address: string,
  reading: Reading,
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Decision> {
  const name = address.slice(address.lastIndexOf("@") + 1);
  const [domain, { entry, admitted }] = await Promise.all([
    findDomain(reading, name),
    findUser(reading, address, request.client),
  ]);
  if (!admitted) return { outcome: NOT_ADMITTED, subject: null };
  if (entry !== null && domain?.recipients !== "none") {
    return { outcome: await route(entry, request, surroundings), subject: subjectOf(entry.user) };
  }
  if (domain === null) return { outcome: UNKNOWN_DOMAIN, subject: null };
  const subject = { domain: name, group: domain.group.name };
  return { outcome: await deliverToDomain(address, domain, request, surroundings), subject };
}

/** To an address that is nobody's, or in a domain that is closed. */
async function deliverToDomain(
  address: string,
  { recipients, group, candidates }: Domain,
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Outcome> {
  if (recipients === "none") return UNKNOWN_DOMAIN;
  if (recipients === "known") return UNKNOWN_USER;
  const serving = candidates.filter(({ smtpPort }) => smtpPort !== null);
  const situation = { user: address, place: surroundings.place, random: Math.random };
  const [server, ...others] = POLICIES[group.policy](serving, situation);
  if (server === undefined) {
    return { kind: "unavailable", reason: `group ${group.name} has no server for mail` };
  }
  return accept(server, others, NO_LOGIN, request, surroundings);
}

/** A recipient is an address already. */
const NO_RULES = { defaultDomain: "", separators: "" };

/** RFC 5321 section 4.1.1.3: `RCPT TO:<@route:user@domain> PARAMETERS`; the route is to be ignored. */
const RECIPIENT = /^RCPT +TO: *<(?:@[^:>]*:)?([^<>\s]+@[^<>\s@]+)>(?: |$)/i;

/** @returns null where it is no address */
function recipient(command: string): string | null {
  const [, address] = RECIPIENT.exec(command) ?? [];
  return address === undefined ? null : normalAddress(address, NO_RULES);
}
