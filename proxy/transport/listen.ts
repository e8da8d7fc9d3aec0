/**
 * Listening sockets: bound once by the primary process, which never accepts, and accepted from by every
 * worker for itself. So no connection is refused while a worker is replaced: the socket, and the queue of
 * connections in it, outlive all workers.
 */
import net, { type Server, type Socket } from "node:net";
import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";
import { formatAddress } from "../../shared/address.ts";
import type { Address, Connection, Listener } from "./connection.ts";
import { SocketConnection } from "./socket-connection.ts";

/** Node's handle of a bound socket: opaque here, and what cluster can send to a worker. */
export interface BoundSocket {
  close(): void;
  /** Fills in what the socket is bound to. */
  getsockname(name: { port?: number }): number;
}

/** Connections that the kernel completes for us before we accept them (nginx's default is 511). */
const BACKLOG = 1024;

/**
 * Binds without accepting.
 *
 * @throws Error in nginx's words, such as `bind() to 0.0.0.0:143 failed (98: address already in use)`
 */
export function bind({ host, port }: Address): BoundSocket {
  const handle = host.includes(":")
    ? createServerHandle(host, port, 6, undefined, IPV6_ONLY)
    : createServerHandle(host, port, 4);
  if (typeof handle === "number") throw bindError({ host, port }, handle);
  // libuv keeps quiet about an address in use until listen(), and that happens in another process.
  const bound: { port?: number } = {};
  handle.getsockname(bound);
  if (bound.port === port) return handle;
  handle.close();
  throw bindError({ host, port }, -constants.errno.EADDRINUSE);
}

/** @param errno negative, as libuv has it */
function bindError(address: Address, errno: number): Error {
  return new Error(
    `bind() to ${formatAddress(address)} failed (${-errno}: ${getSystemErrorMessage(errno)})`,
  );
}

/** libuv's flag: `[::]` and `*` of one port are two sockets, as in nginx. */
const IPV6_ONLY = 1;

type CreateServerHandle = (
  host: string,
  port: number,
  family: 4 | 6,
  fd?: number,
  flags?: number,
) => BoundSocket | number;

/** Undocumented, and what cluster itself uses; `net.Server` binds and accepts in one step only. */
const createServerHandle: CreateServerHandle =
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion, no-underscore-dangle -- as said above
  (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle;

/**
 * Accepts from a bound socket; each connection is handed over reading, so give it a receiver at once.
 *
 * @param onError hears why the socket cannot be accepted from
 */
export function accept(
  socket: BoundSocket,
  onConnection: (connection: Connection) => void,
  onError: (error: Error) => void,
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
  server.on("error", onError);
  server.listen(socket, BACKLOG);
  return { close: () => void server.close() };
}
