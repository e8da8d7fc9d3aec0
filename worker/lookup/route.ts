/** Which server a user who has proved themselves is sent to. */
import { parseIp } from "../../shared/address.ts";
import type { ProtocolName } from "../../shared/lookup.ts";
import { type Directory, type Entry, type Server, placeUser } from "../directory/users.ts";
import type { Accepted, Unavailable } from "./outcome.ts";
import { POLICIES } from "./policies.ts";
import type { LookupRequest } from "./request.ts";

/**
 * A mail program that is shown an empty mailbox deletes its copy of the mail. So a user who has been
 * placed goes to that server or nowhere, whatever its state and its weight.
 */
export async function route(
  directory: Directory,
  entry: Entry,
  request: LookupRequest,
): Promise<Accepted | Unavailable> {
  const { user } = entry;
  const server =
    user.server === null ? await choose(directory, entry, request.protocol) : entry.placed;
  if (server === null) return unavailable(`group ${user.group} has no server for ${user.address}`);
  if (server.state === "down") {
    return unavailable(`${server.name} is down, which holds the mail of ${user.address}`);
  }
  const port = portOf(server, request.protocol);
  if (port === null) return unavailable(`${server.name} has no port for ${request.protocol}`);
  if (parseIp(server.host) === null)
    return unavailable(`the host of ${server.name} is no IP address`);
  return accepted(server.host, port, user.upstreamLogin ?? user.address, request.login);
}

/** The server for a user who has none; with `own` storage it is theirs from now on. */
async function choose(
  directory: Directory,
  { user, group, candidates }: Entry,
  protocol: ProtocolName,
): Promise<Server | null> {
  const serving = candidates.filter((server) => portOf(server, protocol) !== null);
  const chosen = POLICIES[group.policy](serving, Math.random());
  if (chosen === undefined) return null;
  if (group.storage === "shared") return chosen;
  const placed = await placeUser(directory, user.address, chosen.name);
  return candidates.find(({ name }) => name === placed) ?? null;
}

function portOf(server: Server, protocol: ProtocolName): number | null {
  return server[`${protocol}Port` as const];
}

/** What fits into a header of a reply that nginx reads, which allows 1,024 bytes for all of it. */
const SENDABLE = /^[\x21-\x7e]{1,512}$/;

function accepted(
  host: string,
  port: number,
  upstreamLogin: string,
  login: string,
): Accepted | Unavailable {
  if (upstreamLogin === login) return { kind: "accepted", host, port, login: null };
  if (!SENDABLE.test(upstreamLogin)) return unavailable("an upstream login is no header value");
  return { kind: "accepted", host, port, login: upstreamLogin };
}

function unavailable(reason: string): Unavailable {
  return { kind: "unavailable", reason };
}
