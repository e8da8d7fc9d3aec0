/** Waits for the PROXY header that a balancer sends before its client's first byte. */
import { type ProxyHeader, brokenHeader, readProxyHeader } from "../listener/index.ts";
import { type Connection, Input, type Receiver } from "../transport/index.ts";

/**
 * What came behind the header is put back, for whoever receives next.
 *
 * @throws InvalidProxyHeader for what is none; Error where the balancer leaves
 */
export function receiveHeader(connection: Connection): Promise<ProxyHeader> {
  return new Promise((resolve, reject) => {
    connection.receiver = new HeaderReceiver(connection, resolve, reject);
  });
}

class HeaderReceiver implements Receiver {
  readonly #connection: Connection;
  readonly #resolve: (header: ProxyHeader) => void;
  readonly #reject: (error: unknown) => void;
  readonly #input = new Input();

  constructor(
    connection: Connection,
    resolve: (header: ProxyHeader) => void,
    reject: (error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  received(bytes: Uint8Array): void {
    this.#input.append(bytes);
    try {
      const header = readProxyHeader(this.#input);
      if (header === null) return;
      this.#connection.unread(this.#input.rest());
      this.#resolve(header);
    } catch (error) {
      this.#reject(error);
    }
  }

  drained(): void {}

  ended(): void {
    this.closed(null);
  }

  closed(error: Error | null): void {
    this.#reject(error ?? brokenHeader(this.#input.peek(this.#input.length)));
  }
}
