/** Dialling for callers that await a connection. The session path has no such caller. */
import type { Address, Connection, DialOptions, DialReceiver, Transport } from "./connection.ts";

/**
 * @param signal gives the dial up
 * @returns a paused connection
 * @throws Error where no connection comes about; the signal's reason
 */
export function openConnection(
  transport: Pick<Transport, "dial">,
  to: Address,
  signal: AbortSignal,
  options?: DialOptions,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const giveUp = (): void => {
      connection.destroy();
      reject(signal.reason);
    };
    const receiver: DialReceiver = {
      connected: () => {
        signal.removeEventListener("abort", giveUp);
        connection.pause();
        resolve(connection);
      },
      closed: (error) => {
        signal.removeEventListener("abort", giveUp);
        reject(error ?? new Error("closed the connection"));
      },
      received() {},
      drained() {},
      ended() {},
    };
    const connection = transport.dial(to, receiver, options);
    signal.addEventListener("abort", giveUp, { once: true });
  });
}
