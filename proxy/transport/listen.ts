/**
 * Listening sockets: bound once by the primary process, which never accepts, and accepted from by every
 * worker for itself. So no connection is refused while a worker is replaced: the socket, and the queue of
 * connections in it, outlive all workers.
 */
import net, { type Server, type Socket } from "node:net";
import { getSystemErrorMessage } from "node:util";
import type { Address, Connection, Listener } from "./connection.ts";
import { SocketConnection } from "./socket-connection.ts";

/** Node's handle of a bound socket: opaque here, and what cluster can send to a worker. */
export interface BoundSocket {
  close(): void;
}

/** Connections that the kernel completes for us before we accept them (nginx's default is 511). */
const BACKLOG = 1024;

/**
 * Binds without accepting.
 *
 * @throws Error in nginx's words, such as `bind() to 0.0.0.0:143 failed (98: address already in use)`
 */
export function bind({ host, port }: Address): BoundSocket {
  const handle = createServerHandle(host, port, host.includes(":") ? 6 : 4);
  if (typeof handle !== "number") return handle;
  const shown = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  throw new Error(`bind() to ${shown} failed (${-handle}: ${getSystemErrorMessage(handle)})`, {
    cause: handle,
  });
}

type CreateServerHandle = (host: string, port: number, family: 4 | 6) => BoundSocket | number;

/** Undocumented, and what cluster itself uses; `net.Server` binds and accepts in one step only. */
const createServerHandle: CreateServerHandle =
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion, no-underscore-dangle -- as said above
  (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle;

/** Accepts from a bound socket; each connection is handed over reading, so give it a receiver at once. */
export function accept(
  socket: BoundSocket,
  onConnection: (connection: Connection) => void,
): Listener {
  const server: Server = net.createServer(
    { allowHalfOpen: true, noDelay: true },
    (client: Socket) => {
      const { remoteAddress: host, remotePort: port } = client;
      // A client that has gone already has no address any more.
      if (host === undefined || port === undefined) client.destroy();
      else onConnection(new SocketConnection(client, { host, port }));
    },
  );
  server.on("error", () => server.close());
  server.listen(socket, BACKLOG);
  return { close: () => void server.close() };
}
