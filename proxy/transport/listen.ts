/**
 * Listening sockets. The primary process binds them and never accepts; every worker accepts for itself. So no
 * connection is refused while a worker is replaced: the socket and its queue outlive all workers.
 */
import { chmodSync, existsSync } from "node:fs";
import net, { type Server, Socket } from "node:net";
import { dirname } from "node:path";
import { getSystemErrorMessage, getSystemErrorName } from "node:util";
import { formatAddress, isUnspecified, unixPath } from "../../shared/address.ts";
import { systemReason } from "../reason.ts";
import type { Address, Connection, Listener } from "./connection.ts";
import { SocketConnection } from "./socket-connection.ts";
import { SOCKET } from "./socket-events.ts";

/** Node's handle of a bound socket, which cluster can send to a worker. */
export interface BoundSocket {
  /** The descriptor, for a process that inherits the socket. */
  readonly fd: number;
  /** Also removes the file of a unix socket that this process has bound. */
  close(): void;
}

/** A socket cannot be bound; in nginx's words. */
export class BindError extends Error {
  override name = "BindError";
  /** True where another process has the address, which it may release soon. */
  readonly inUse: boolean;

  /** @param code such as `EADDRINUSE` */
  constructor(address: Address, code: string) {
    const why = systemReason(Object.assign(new Error(code), { code }));
    super(`bind() to ${formatAddress(address)} failed (${why})`);
    this.inUse = code === "EADDRINUSE";
  }
}

interface Binding {
  readonly ipv6only?: boolean;
  /** Mode of a unix socket's file. */
  readonly mode?: number;
}

/**
 * Binds without accepting; two sockets that the system would not let accept side by side may both be bound.
 *
 * @throws BindError such as `bind() to 0.0.0.0:143 failed (98: Address already in use)`
 */
export function bind(address: Address & Binding): BoundSocket {
  const { host, port, ipv6only = true, mode = 0o666 } = address;
  const path = unixPath(host);
  if (path !== null) return bindUnix(address, path, mode);
  const handle = host.includes(":")
    ? createServerHandle(host, port, 6, undefined, ipv6only ? IPV6_ONLY : 0)
    : createServerHandle(host, port, 4);
  if (typeof handle === "number") throw new BindError(address, getSystemErrorName(handle));
  // libuv reports an address in use only at listen(), and that happens in another process.
  const bound: { port?: number } = {};
  handle.getsockname?.(bound);
  if (bound.port === port) return handle;
  handle.close();
  throw new BindError(address, "EADDRINUSE");
}

/** No client can connect before `accept`, and so none while the file still has another mode. */
function bindUnix(address: Address, path: string, mode: number): BoundSocket {
  const handle = createServerHandle(path, -1, -1);
  if (typeof handle === "number") {
    const code = getSystemErrorName(handle);
    // libuv reports a missing directory as a lack of permission.
    const missing = code === "EACCES" && !existsSync(dirname(path));
    throw new BindError(address, missing ? "ENOENT" : code);
  }
  chmodSync(path, mode);
  return handle;
}

/** libuv's flag: `[::]` and `*` of one port are two sockets, as in nginx. */
const IPV6_ONLY = 1;

interface Handle extends BoundSocket {
  /** Fills in the address of a TCP socket. */
  getsockname?(name: { address?: string; port?: number }): number;
}

/** @returns a handle, or libuv's negative error code */
type CreateServerHandle = (
  /** Null for a descriptor, with port and family null too. */
  hostOrPath: string | null,
  port: number | null,
  /** -1 for a unix socket, with port -1 too. */
  family: 4 | 6 | -1 | null,
  fd?: number,
  flags?: number,
) => Handle | number;

/** Undocumented, and what cluster itself uses; `net.Server` binds and accepts in one step only. */
const createServerHandle: CreateServerHandle =
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion, no-underscore-dangle -- as said above
  (net as unknown as { _createServerHandle: CreateServerHandle })._createServerHandle;

/** @returns null for a descriptor that is no stream socket */
export function handleOf(fd: number): Handle | null {
  try {
    const handle = createServerHandle(null, null, null, fd);
    return typeof handle === "number" ? null : handle;
  } catch {
    return null;
  }
}

/** TCP keep-alive in seconds, and a number of probes; 0 for the system's value. */
interface KeepAlive {
  readonly idle: number;
  readonly interval: number;
  readonly count: number;
}

/** The address of a listening socket, and the options of its connections. */
export interface Accepting extends Address {
  /** Connections that the kernel completes before they are accepted. */
  readonly backlog: number;
  /** Null for no keep-alive. */
  readonly keepAlive: KeepAlive | null;
}

/** nginx's name for a client of a unix socket. */
const UNIX_CLIENT: Address = { host: "unix:", port: 0 };

/**
 * Accepts from a bound socket. Each connection is handed over reading, so its receiver is to be set at once.
 *
 * @param onError hears why the socket cannot be accepted from
 */
export function accept(
  socket: BoundSocket,
  { host: bound, port: at, backlog, keepAlive }: Accepting,
  onConnection: (connection: Connection) => void,
  onError: (error: Error) => void,
): Listener {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undocumented, as `createServerHandle` is
  const handle = socket as AcceptingHandle;
  const address = { host: bound, port: at };
  const unix = unixPath(bound) !== null;
  // Node copies the options. It documents no `handle`; `net.Server` passes it as well.
  const options: typeof SOCKET & { handle?: ClientHandle } = { ...SOCKET };
  // A connection to one address was made to that address, so the kernel need not be asked.
  const local = isUnspecified(bound) || at === 0 ? null : address;
  // `net.Server` makes its sockets itself, and without the shared read buffer.
  handle.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) {
      onError(systemError(status, "accept"));
      return;
    }
    const remote = unix ? UNIX_CLIENT : peerOf(client);
    if (remote === null) {
      client.close();
      return;
    }
    if (!unix) client.setNoDelay?.(true);
    options.handle = client;
    const accepted = new Socket(options as object);
    if (keepAlive !== null && !unix) keepAliveOf(accepted, keepAlive);
    onConnection(new SocketConnection(accepted, remote, unix ? address : local));
  };
  const status = handle.listen(backlog);
  if (status !== 0) queueMicrotask(() => onError(systemError(status, "listen")));
  return { close: () => handle.close() };
}

/** A handle of Node's that accepts. */
interface AcceptingHandle extends BoundSocket {
  onconnection: (status: number, client: ClientHandle | undefined) => void;
  /** @returns 0, or libuv's negative code */
  listen(backlog: number): number;
}

interface ClientHandle {
  getpeername?(name: { address?: string; port?: number }): number;
  setNoDelay?(on: boolean): number;
  close(): void;
}

/** @returns null for a client that has gone already: it has no address any more */
function peerOf(client: ClientHandle): Address | null {
  const name: { address?: string; port?: number } = {};
  client.getpeername?.(name);
  const { address: host, port } = name;
  return host === undefined || port === undefined ? null : { host, port };
}

function systemError(status: number, call: string): Error {
  const code = getSystemErrorName(status);
  const message = `${call} ${code}: ${getSystemErrorMessage(status)}`;
  return Object.assign(new Error(message), { errno: status, code, syscall: call });
}

/** Linux's defaults. Node sets all three values at once, so it needs those that the operator has not set. */
const KEEP_ALIVE: KeepAlive = { idle: 7200, interval: 75, count: 9 };

function keepAliveOf(client: Socket, { idle, interval, count }: KeepAlive): void {
  if (idle + interval + count === 0) {
    client.setKeepAlive(true);
    return;
  }
  client.setKeepAlive(
    true,
    1000 * (idle || KEEP_ALIVE.idle),
    1000 * (interval || KEEP_ALIVE.interval),
    count || KEEP_ALIVE.count,
  );
}

/** Does what `listen(handle)` does for TCP; for a unix socket `listen` would ask the primary process for a socket. */
export function acceptOn(server: Server, socket: BoundSocket, backlog: number): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undocumented, as above
  const inside = server as unknown as {
    _handle: BoundSocket;
    _listen2(address: null, port: -1, family: -1, backlog: number): void;
  };
  // oxlint-disable-next-line no-underscore-dangle -- as said above
  inside._handle = socket;
  // oxlint-disable-next-line no-underscore-dangle -- as said above
  inside._listen2(null, -1, -1, backlog);
}
