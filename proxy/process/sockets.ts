/** The listening sockets of a configuration, by address, so that the next one can take over what stays. */
import type { Settings } from "../config/index.ts";
import { type BoundSocket, bind } from "../transport/index.ts";

export class Sockets {
  readonly #bound: ReadonlyMap<string, BoundSocket>;

  private constructor(bound: ReadonlyMap<string, BoundSocket>) {
    this.#bound = bound;
  }

  /**
   * Binds what `before` has not bound already.
   *
   * @throws Error for the first address that cannot be bound, with nothing newly bound left open
   */
  static bind(settings: Settings, before?: Sockets): Sockets {
    const bound = new Map<string, BoundSocket>();
    const fresh: BoundSocket[] = [];
    try {
      for (const listen of settings.servers.flatMap((server) => server.listen)) {
        const known = before?.get(listen);
        const socket = known ?? bind(listen);
        if (known === undefined) fresh.push(socket);
        bound.set(key(listen), socket);
      }
    } catch (error) {
      for (const socket of fresh) socket.close();
      throw error;
    }
    return new Sockets(bound);
  }

  get(address: { host: string; port: number }): BoundSocket | undefined {
    return this.#bound.get(key(address));
  }

  /** Closes all but those that `after` has taken over. */
  close(after?: Sockets): void {
    const kept = new Set(after === undefined ? [] : after.#bound.values());
    for (const socket of this.#bound.values()) if (!kept.has(socket)) socket.close();
  }
}

function key({ host, port }: { host: string; port: number }): string {
  return `${host} ${port}`;
}
