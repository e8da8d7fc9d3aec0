/** The events of Node's sockets. All sockets share these listeners, which find the socket's owner in a property. */
import type { Socket } from "node:net";
import { nextBuffer, readInto } from "./read-buffer.ts";

/** The connection that a socket's events are for. */
export interface SocketOwner {
  /** Bytes of a clear socket, in a read buffer. */
  read(bytes: Uint8Array): void;
  /** The buffer for the next read of a clear socket. */
  nextBuffer(): Buffer;
  /** Bytes of a TLS socket. */
  deliver(bytes: Uint8Array): void;
  connected(): void;
  drained(): void;
  ended(): void;
  failed(error: Error): void;
  closed(): void;
}

const ownerOf = Symbol("owner");

interface Owned {
  [ownerOf]?: SocketOwner;
}

/**
 * Options of each of Node's sockets. With `readableHighWaterMark` 1 a paused TLS socket holds the bytes of one
 * more read (64 KiB) and then stops reading.
 */
export const SOCKET = {
  allowHalfOpen: true,
  readableHighWaterMark: 1,
  onread: { buffer: nextBuffer, callback: onRead },
} as const;

/** Sends a clear socket's events to its owner; bytes come by `onread`. */
export function own(socket: Socket & Owned, owner: SocketOwner): void {
  socket[ownerOf] = owner;
  socket.on("drain", onDrain);
  socket.on("end", onEnd);
  socket.on("error", onError);
  socket.on("close", onClose);
}

/** Sends a TLS socket's events to its owner. */
export function ownTls(socket: Socket, owner: SocketOwner): void {
  own(socket, owner);
  socket.on("data", onData);
}

/** Ends the events of a socket that TLS has taken over, but for its errors. */
export function disown(socket: Socket): void {
  socket.off("drain", onDrain);
  socket.off("end", onEnd);
  socket.off("close", onClose);
}

/** Reports when a dialled socket is connected. */
export function awaitConnect(socket: Socket): void {
  socket.once("connect", onConnect);
}

/** Node emits `drain` only to a writer that it has told to stop; the limit here is an empty queue. */
export function awaitDrain(socket: Socket): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion, no-underscore-dangle -- Node has no public way to ask for `drain`
  (socket as unknown as { _writableState: { needDrain: boolean } })._writableState.needDrain = true;
}

/** Node's `onread.callback`, with the socket as `this`. */
function onRead(this: unknown, count: number, buffer: Uint8Array): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's types do not tell
  const owner = (this as Owned)[ownerOf];
  if (owner === undefined) return true;
  owner.read(buffer.subarray(0, count));
  readInto(owner.nextBuffer());
  return true;
}

function onData(this: Owned, chunk: Uint8Array): void {
  this[ownerOf]?.deliver(chunk);
}
function onConnect(this: Owned): void {
  this[ownerOf]?.connected();
}
function onDrain(this: Owned): void {
  this[ownerOf]?.drained();
}
function onEnd(this: Owned): void {
  this[ownerOf]?.ended();
}
function onError(this: Owned, error: Error): void {
  this[ownerOf]?.failed(error);
}
function onClose(this: Owned): void {
  this[ownerOf]?.closed();
}
