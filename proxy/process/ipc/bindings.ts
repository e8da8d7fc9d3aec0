/**
 * Which sockets a configuration needs, and where their clients belong. As in nginx, `*:143` takes the
 * connections of every other address on its port as well, whose servers are then told apart by the address
 * that the client has connected to.
 */
import { isUnspecified } from "../../../shared/address.ts";
import type { Listen, Settings } from "../../config/index.ts";

/** A `listen`, and the index of its server in the settings; null for the relay, which is none. */
interface Entrance {
  readonly server: number | null;
  readonly listen: Listen;
}

/** A socket, and all who come in by it. */
export interface Binding {
  /** What the socket is bound to. */
  readonly own: Entrance;
  /** Those that have no socket of their own, by address. */
  readonly others: ReadonlyMap<string, Entrance>;
}

/** In an order that primary and workers agree upon. */
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

/** What the sockets of all servers are bound to. */
export function clientListens(settings: Settings): readonly Listen[] {
  return bindings(settings).map(({ own }) => own.listen);
}

function familyAndPort({ host, port }: Listen): string {
  return `${host.includes(":") ? 6 : 4} ${port}`;
}
