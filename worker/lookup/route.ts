/** Which server a user who has proved themselves is sent to. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { Candidate } from "../directory/server-health.ts";
import type { Server } from "../directory/schema/index.ts";
import { type Entry, findUser, placeUser } from "../directory/users.ts";
import { POLICIES, type Place } from "../routing/index.ts";
import { accept, portOf, type Resolve } from "./accept.ts";
import { type Accepted, type Unavailable, unavailable } from "./result.ts";
import type { LookupRequest } from "./parse.ts";
import type { Resources } from "./resources.ts";
import type { Readings } from "./find.ts";
import { NO_LOGIN, upstreamLogin } from "./upstream-login.ts";

/** What routing needs beyond the directory's rows. */
export interface Surroundings extends Resources, Readings {
  /** Where the calling proxy is; null where nobody knows. */
  readonly place: Place | null;
  readonly resolve: Resolve;
}

/**
 * A mail program that is shown an empty mailbox deletes its copy of the mail. So a user who has been
 * placed goes to that server or nowhere, whatever its state and its weight.
 */
export async function route(
  entry: Entry,
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<Accepted | Unavailable> {
  const home = await homeOf(entry, request, surroundings);
  if (home === null) return unavailable(`${entry.user.address} is gone`);
  const { user } = home;
  const [server, ...others] =
    user.server === null
      ? await choose(home, request, surroundings)
      : [home.placed].filter((placed) => placed !== null);
  if (server === undefined) {
    return unavailable(`group ${user.group} has no server for ${user.address}`);
  }
  if (server.state === "down") {
    return unavailable(`${server.name} is down, which holds the mail of ${user.address}`);
  }
  const { method } = request;
  const login =
    method === "none" ? NO_LOGIN : await upstreamLogin(entry, method, request, surroundings);
  if (login.kind === "unavailable") return login;
  return accept(server, others, login, request, surroundings.resolve);
}

/** Nobody is placed by what a replica knew a moment ago, as that is for good. */
async function homeOf(
  entry: Entry,
  { client }: LookupRequest,
  { nearest, primary }: Readings,
): Promise<Entry | null> {
  const toBePlaced = entry.user.server === null && entry.group.storage === "own";
  if (!toBePlaced || !nearest.mayBeBehind) return entry;
  return (await findUser(primary, entry.user.address, client)).entry;
}

/** The servers for a user who has none, the best first; with `own` storage it is theirs from now on, and alone. */
async function choose(
  entry: Entry,
  request: LookupRequest,
  surroundings: Surroundings,
): Promise<readonly Server[]> {
  const { user, group, candidates } = entry;
  const ranked = rank(entry, user.address, request, surroundings);
  const [best] = ranked;
  if (best === undefined || group.storage === "shared") return ranked;
  const placed = await placeUser(surroundings.directory, user.address, best.name);
  return candidates.filter(({ name }) => name === placed);
}

/**
 * The candidates that speak the protocol, by the group's policy; those that a rule names for the client's
 * network, which are of another group, come first.
 */
export function rank(
  { group, candidates }: Pick<Entry, "group" | "candidates">,
  user: string,
  { protocol }: LookupRequest,
  { place }: Surroundings,
): readonly Server[] {
  const speaking = candidates.filter((server) => portOf(server, protocol) !== null);
  const serving = group.storage === "shared" ? withoutFailing(speaking, protocol) : speaking;
  const situation = { user, place, random: Math.random };
  const named = serving.filter((server) => server.group !== group.name);
  const own = serving.filter((server) => server.group === group.name);
  return [named, own].flatMap((some) => POLICIES[group.policy](some, situation));
}

/** All of them where all fail, as proxies agree: to try one is better than to give up. */
function withoutFailing(
  servers: readonly Candidate[],
  protocol: ProtocolName,
): readonly Candidate[] {
  const well = servers.filter((server) => {
    const port = portOf(server, protocol);
    return port === null || !server.failing.includes(port);
  });
  return well.length === 0 ? servers : well;
}
