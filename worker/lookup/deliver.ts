/** Mail from outside (`smtp_auth none`): nobody logs in, and the recipient decides where it goes. */
import type { Reading } from "../directory/session.ts";
import { type Domain, type Entry, findUser } from "../directory/users.ts";
import { accept } from "./accept.ts";
import {
  type Decision,
  NOT_ADMITTED,
  type Outcome,
  type Refused,
  subjectOf,
  unavailable,
} from "./result.ts";
import type { LookupRequest } from "./parse.ts";
import { recipientOf } from "./recipient.ts";
import { rank, route, type Surroundings } from "./route.ts";
import { NO_LOGIN } from "./upstream-login.ts";

const UNKNOWN_USER: Refused = { kind: "refused", reason: "unknown-user" };
const UNKNOWN_DOMAIN: Refused = { kind: "refused", reason: "unknown-domain" };

export async function deliver(
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Decision> {
  const { nearest, primary, addresses } = surroundings;
  const address = recipientOf(request.recipient, addresses);
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
  const found = await findUser(reading, address, request.client, { domain: name });
  const { admitted, domain } = found;
  if (!admitted) return { outcome: NOT_ADMITTED, subject: null };
  const open = domain?.recipients !== "none";
  const entry = open ? (found.entry ?? (await findOwner(address, reading, request))) : null;
  if (entry !== null) {
    return { outcome: await route(entry, request, surroundings), subject: subjectOf(entry.user) };
  }
  if (domain === null) return { outcome: UNKNOWN_DOMAIN, subject: null };
  const subject = { domain: name, group: domain.catchAll.group.name };
  return { outcome: await deliverToDomain(address, domain, request, surroundings), subject };
}

/** To an address that is nobody's, or in a domain that is closed. */
async function deliverToDomain(
  address: string,
  { recipients, catchAll }: Domain,
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Outcome> {
  if (recipients === "none") return UNKNOWN_DOMAIN;
  if (recipients === "known") return UNKNOWN_USER;
  const [server, ...others] = rank(catchAll, address, request, surroundings);
  if (server === undefined) {
    return unavailable(`group ${catchAll.group.name} has no server for mail`);
  }
  return accept(server, others, NO_LOGIN, request, surroundings.resolve);
}

/**
 * `alice+shop@example.test` is a name of Alice's (RFC 5233 section 4). Where it is none at her server, that one
 * will say so: it hears the whole address, and we only choose it.
 */
async function findOwner(
  address: string,
  reading: Reading,
  { client }: LookupRequest,
): Promise<Entry | null> {
  const [, user, domain] = /^([^+]+)\+.*(@[^@]*)$/.exec(address) ?? [];
  if (user === undefined || domain === undefined) return null;
  return (await findUser(reading, user + domain, client)).entry;
}
