/** Ranks the candidate servers of a group. */
import type { ProtocolName } from "../../shared/lookup.ts";
import type { MailServer } from "../directory/schema/index.ts";
import type { CandidateServer } from "../directory/server-health.ts";
import type { UserEntry } from "../directory/users.ts";
import type { Coordinates } from "./coordinates.ts";
import { POLICIES } from "./policies.ts";

/**
 * Ranks the candidates that speak the protocol by the group's policy. Servers of the client's network rule, which
 * belong to another group, come first.
 */
export function rank(
  { group, candidates }: Pick<UserEntry, "group" | "candidates">,
  user: string,
  protocol: ProtocolName,
  coordinates: Coordinates | null,
): readonly MailServer[] {
  const speaking = candidates.filter((server) => portOf(server, protocol) !== null);
  const serving = group.storage === "shared" ? withoutFailing(speaking, protocol) : speaking;
  const input = { user, coordinates, random: Math.random };
  const ofRule = serving.filter((server) => server.group !== group.name);
  const ofGroup = serving.filter((server) => server.group === group.name);
  return [ofRule, ofGroup].flatMap((servers) => POLICIES[group.policy](servers, input));
}

/** Returns all servers if proxies report all of them: a failing server is better than none. */
function withoutFailing(
  servers: readonly CandidateServer[],
  protocol: ProtocolName,
): readonly CandidateServer[] {
  const working = servers.filter((server) => {
    const port = portOf(server, protocol);
    return port === null || !server.failing.includes(port);
  });
  return working.length === 0 ? servers : working;
}

/** Null if the server does not speak the protocol. */
export function portOf(server: MailServer, protocol: ProtocolName): number | null {
  return server[`${protocol}Port` as const];
}
