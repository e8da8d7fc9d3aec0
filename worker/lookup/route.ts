/** Chooses the mail server of a user, and describes it to the caller. */
import { formatAddress, parseIp } from "../../shared/address.ts";
import type { ProtocolName } from "../../shared/lookup.ts";
import type { MailServer } from "../directory/schema/index.ts";
import { placeUser, type UserEntry } from "../directory/users.ts";
import { portOf, rank } from "../routing/index.ts";
import { isSendable } from "../secrets/index.ts";
import type { LookupContext } from "./context.ts";
import { unavailable, type UnavailableLookup } from "./methods/index.ts";
import type { AcceptedLookup } from "./decision.ts";
import { CLIENT_CREDENTIALS, type UpstreamCredentials, upstreamLogin } from "./upstream-login.ts";

/** Characters of all values that describe a server. With the names of the headers they stay under 700 bytes. */
const MAX_VALUES_LENGTH = 512;

const MAX_FALLBACKS = 4;

/**
 * A mail program that is shown an empty mailbox deletes its copy of the mail. So a placed user goes to their own
 * server or to none, whatever its state and its weight.
 *
 * @param entry read at the primary if the user is to be placed
 */
export async function route(
  entry: UserEntry,
  context: LookupContext,
): Promise<AcceptedLookup | UnavailableLookup> {
  const { user } = entry;
  const [server, ...others] =
    user.server === null
      ? await choose(entry, context)
      : [entry.placed].filter((placed) => placed !== null);
  if (server === undefined) {
    return unavailable("configuration", `group ${user.group} has no server for ${user.address}`);
  }
  if (server.state === "down") {
    return unavailable(
      "configuration",
      `server ${server.name}, which holds the mail of ${user.address}, is down`,
    );
  }
  const { method } = context.request;
  const credentials =
    method === "none" ? CLIENT_CREDENTIALS : await upstreamLogin(entry, method, context);
  if (credentials.kind === "unavailable") return credentials;
  return accept(server, others, credentials, context);
}

/** Ranks the servers for a user without one. With `own` storage the user is placed on the first one. */
async function choose(entry: UserEntry, context: LookupContext): Promise<readonly MailServer[]> {
  const { user, group, candidates } = entry;
  const { request, coordinates, directory } = context;
  const ranked = rank(entry, user.address, request.protocol, coordinates);
  const [best] = ranked;
  if (best === undefined || group.storage === "shared") return ranked;
  const placed = await placeUser(directory, user.address, best.name);
  return candidates.filter(({ name }) => name === placed);
}

/** @param others the fallbacks, the best first */
export async function accept(
  server: MailServer,
  others: readonly MailServer[],
  { login, password }: UpstreamCredentials,
  { request: { protocol, accepts }, resolve }: LookupContext,
): Promise<AcceptedLookup | UnavailableLookup> {
  const port = portOf(server, protocol);
  if (port === null) {
    return unavailable("configuration", `server ${server.name} has no port for ${protocol}`);
  }
  const acceptsTls = accepts.has("tls");
  const acceptsHost = ({ host }: MailServer) => accepts.has("hostname") || parseIp(host) !== null;
  const host = acceptsHost(server) ? server.host : await resolve(server.host);
  // The certificate has the name, which the caller would not learn from an address.
  const tlsName = server.tlsName ?? (host === server.host ? null : server.host);
  const values = [host, acceptsTls ? tlsName : null, login, password].filter(
    (value) => value !== null,
  );
  if (!values.every(isSendable)) {
    return unavailable(
      "configuration",
      `the host of server ${server.name}, or the login there, does not fit into a header`,
    );
  }
  const room = MAX_VALUES_LENGTH - values.join("").length;
  if (room < 0) {
    return unavailable(
      "configuration",
      `the values for server ${server.name} are too long for a reply`,
    );
  }
  // A caller uses the first server's TLS mode for the fallbacks too, and verifies them by their hosts.
  const fallbacks = others.filter(
    (other) =>
      acceptsHost(other) &&
      (!acceptsTls || (other.tls === server.tls && (other.tlsName ?? other.host) === other.host)),
  );
  return {
    kind: "accepted",
    server: server.name,
    host,
    port,
    login,
    password,
    tls: acceptsTls ? server.tls : null,
    tlsName: acceptsTls ? tlsName : null,
    fallbacks: accepts.has("fallback") ? fitting(fallbacks, protocol, room) : [],
  };
}

/** Returns as many addresses as there is room for, in their order. */
function fitting(
  servers: readonly MailServer[],
  protocol: ProtocolName,
  room: number,
): AcceptedLookup["fallbacks"] {
  const addresses = servers.flatMap((server) => {
    const port = portOf(server, protocol);
    return port === null ? [] : [{ host: server.host, port }];
  });
  const first = addresses.slice(0, MAX_FALLBACKS);
  while (first.map(formatAddress).join(", ").length > room) first.pop();
  return first;
}
