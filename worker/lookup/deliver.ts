/** Mail from outside (`smtp_auth none`): nobody logs in, and the recipient decides where it goes. */
import { normalAddress } from "../directory/address.ts";
import { findDomain } from "../directory/domains.ts";
import { findUser } from "../directory/users.ts";
import { POLICIES } from "../routing/index.ts";
import type { Outcome, Refused } from "./outcome.ts";
import type { LookupRequest } from "./request.ts";
import { type Surroundings, accept, route } from "./route.ts";
import { NO_LOGIN } from "./upstream-login.ts";

const UNKNOWN_USER: Refused = { kind: "refused", reason: "unknown-user" };
const UNKNOWN_DOMAIN: Refused = { kind: "refused", reason: "unknown-domain" };

export async function deliver(
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Outcome> {
  const { directory, place } = surroundings;
  const address = recipient(request.recipient);
  // The command is the client's, and the endpoint that reads it is us: 501 would be the proxy's to say.
  if (address === null) return UNKNOWN_USER;
  const domain = await findDomain(directory, address.slice(address.lastIndexOf("@") + 1));
  if (domain?.recipients === "none") return UNKNOWN_DOMAIN;
  const { entry } = await findUser(directory, address, request.client);
  if (entry !== null) return route(entry, request, surroundings);
  if (domain === null) return UNKNOWN_DOMAIN;
  if (domain.recipients === "known") return UNKNOWN_USER;
  const { group, candidates } = domain;
  const serving = candidates.filter(({ smtpPort }) => smtpPort !== null);
  const situation = { user: address, place, random: Math.random };
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
