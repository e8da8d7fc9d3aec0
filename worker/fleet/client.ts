/** What the fleet's object does for the rest of the worker, told so that tests need none. */

/** A proxy that is connected now. */
export interface Connected {
  /** That of its token. */
  readonly name: string;
  readonly host: string;
  readonly version: string;
  /** Clients that are connected to it. */
  readonly sessions: number;
  /** When it was connected, and when it was heard last; ms since the epoch. */
  readonly since: number;
  readonly seen: number;
}

export interface TheFleet {
  /**
   * Ends the sessions of users on all proxies: those that are connected hear it now, the others when they are.
   *
   * @param users each by all names that they may have logged in by, or that a mail server knows them by
   */
  kick(users: readonly (readonly string[])[]): Promise<void>;

  /** Proxies, in the order of their names. */
  connected(): Promise<readonly Connected[]>;

  /** A token is no more: by its name, no proxy is connected any longer. */
  cut(proxy: string): Promise<void>;
}

/** The binding of the Durable Object. */
export interface Fleets {
  getByName(name: string): TheFleet;
}

/** There is one, for all proxies. */
export const THE_FLEET = "fleet";

export function theFleet(fleets: Fleets): TheFleet {
  return fleets.getByName(THE_FLEET);
}
