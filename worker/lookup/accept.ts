/** What a caller is told of the server that its client is sent to, as far as it understands it. */
import { formatAddress, parseIp } from "../../shared/address.ts";
import type { ProtocolName } from "../../shared/lookup.ts";
import type { Server } from "../directory/schema/index.ts";
import { isSendable } from "../secrets/index.ts";
import { type Accepted, type Unavailable, unavailable } from "./result.ts";
import type { LookupRequest } from "./parse.ts";
import type { UpstreamLogin } from "./upstream-login.ts";

/** Characters for all that is told; with the names of the headers it stays under 700 bytes. */
const ROOM = 512;

const MOST_FALLBACKS = 4;

/** @throws Error where a host has no address, or nobody can tell */
export type Resolve = (host: string) => Promise<string>;

/** @param others those that will do as well, the best first */
export async function accept(
  server: Server,
  others: readonly Server[],
  { login, password }: UpstreamLogin,
  { protocol, accepts }: LookupRequest,
  resolve: Resolve,
): Promise<Accepted | Unavailable> {
  const port = portOf(server, protocol);
  if (port === null) return unavailable(`${server.name} has no port for ${protocol}`);
  const takesTls = accepts.has("tls");
  const isTold = ({ host }: Server) => accepts.has("hostname") || parseIp(host) !== null;
  const host = isTold(server) ? server.host : await resolve(server.host);
  // The certificate has the name, which the caller would not learn from an address.
  const tlsName = server.tlsName ?? (host === server.host ? null : server.host);
  const told = [host, takesTls ? tlsName : null, login, password].filter((text) => text !== null);
  if (!told.every(isSendable)) {
    return unavailable(`the host of ${server.name}, or a login there, is no header value`);
  }
  const room = ROOM - told.join("").length;
  if (room < 0) return unavailable(`what is to be told of ${server.name} is too long for a reply`);
  // A caller goes to them under the same TLS as to the first, and knows them by their hosts alone.
  const alike = others.filter(
    (other) =>
      isTold(other) &&
      (!takesTls || (other.tls === server.tls && (other.tlsName ?? other.host) === other.host)),
  );
  return {
    kind: "accepted",
    server: server.name,
    host,
    port,
    login,
    password,
    tls: takesTls ? server.tls : null,
    tlsName: takesTls ? tlsName : null,
    fallbacks: accepts.has("fallback") ? fitting(alike, protocol, room) : [],
  };
}

/** As many as there is room for, in their order. */
function fitting(
  servers: readonly Server[],
  protocol: ProtocolName,
  room: number,
): Accepted["fallbacks"] {
  const addresses = servers.flatMap((server) => {
    const port = portOf(server, protocol);
    return port === null ? [] : [{ host: server.host, port }];
  });
  const most = addresses.slice(0, MOST_FALLBACKS);
  while (most.map(formatAddress).join(", ").length > room) most.pop();
  return most;
}

export function portOf(server: Server, protocol: ProtocolName): number | null {
  return server[`${protocol}Port` as const];
}
