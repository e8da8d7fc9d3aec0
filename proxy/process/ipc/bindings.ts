/**
 * The sockets of a configuration, and the servers behind each. As in nginx, the socket of `*:143` accepts for every
 * other address on its port as well. The server is then found by the address that the client has connected to.
 */
import { isUnspecified } from "../../../shared/address.ts";
import type { Listen, Settings } from "../../config/index.ts";

/** A `listen`, and the index of its server in the settings; null for the lookup relay. */
interface Entrance {
  readonly server: number | null;
  readonly listen: Listen;
}

/** A socket and its entrances. */
export interface Binding {
  /** The entrance that the socket is bound to. */
  readonly own: Entrance;
  /** Entrances without a socket of their own, by address. */
  readonly others: ReadonlyMap<string, Entrance>;
}

/** The order is the same in the primary and its workers. */
export function bindings({ servers, relay }: Settings): readonly Binding[] {
  const entrances: Entrance[] = servers.flatMap(({ listen: listens }, server) =>
    listens.map((listen) => ({ server, listen })),
  );
  if (relay !== null) entrances.push({ server: null, listen: relay.listen });
  const wildcards = new Map(
    entrances
      .filter(({ listen: { host } }) => isUnspecified(host))
      .map((entrance) => [familyAndPort(entrance.listen), entrance]),
  );
  const bySocket = Map.groupBy(
    entrances,
    (entrance) => wildcards.get(familyAndPort(entrance.listen)) ?? entrance,
  );
  return [...bySocket].map(([own, all]) => ({
    own,
    others: new Map(all.filter((one) => one !== own).map((one) => [one.listen.host, one])),
  }));
}

/** The addresses that sockets of clients are bound to. */
export function clientListens(settings: Settings): readonly Listen[] {
  return bindings(settings).map(({ own }) => own.listen);
}

function familyAndPort({ host, port }: Listen): string {
  return `${host.includes(":") ? 6 : 4} ${port}`;
}

/** nginx counts listening sockets and the primary's channel among `worker_connections`. */
export function reservedConnections(settings: Settings): number {
  return bindings(settings).length + 1;
}
