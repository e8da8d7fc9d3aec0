/** The interface of the fleet's Durable Object, so that tests can replace it. */

export interface ConnectedProxy {
  /** The name of the proxy's token. */
  readonly name: string;
  readonly host: string;
  readonly version: string;
  /** Clients connected to the proxy. */
  readonly sessions: number;
  /** The times of the connection and of the last message, ms since the epoch. */
  readonly since: number;
  readonly seen: number;
}

export interface FleetStub {
  /**
   * Kicks the users whose revocations the directory has noted. A proxy that is not connected receives the kicks when
   * it connects.
   *
   * @throws Error if the directory cannot be read; the revocations stay noted
   */
  collect(): Promise<void>;

  /** Lists the connected proxies in the order of their names. */
  connected(): Promise<readonly ConnectedProxy[]>;

  /** Closes the connections of a proxy whose token was deleted. */
  disconnect(proxy: string): Promise<void>;
}

/** The binding of the Durable Object's namespace. */
export interface FleetNamespace {
  getByName(name: string): FleetStub;
}

/** The name of the one object for all proxies. */
export const FLEET_NAME = "fleet";

export function fleetStub(fleets: FleetNamespace): FleetStub {
  return fleets.getByName(FLEET_NAME);
}
