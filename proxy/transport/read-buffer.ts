/**
 * The buffers that clear sockets read into. All sockets of a process share one, so that an idle session holds
 * none and a read allocates none. A socket that moves much data gets a buffer of its own: its chunks are
 * written onward without a copy, because that socket reads again only once the kernel has taken them.
 */

/** Bytes of one read, as Node's own reads have. */
const SIZE = 65_536;

/** Spare buffers kept for the next busy socket. */
const MOST_SPARE = 16;

function allocate(): Buffer {
  return Buffer.from(new ArrayBuffer(SIZE));
}

const shared = allocate();
const spare: Buffer[] = [];

/** True for bytes that the next read of any socket overwrites. */
export function isShared(bytes: Uint8Array): boolean {
  return bytes.buffer === shared.buffer;
}

export function takePrivate(): Buffer {
  return spare.pop() ?? allocate();
}

/** @param buffer no longer read into, with no write of it under way */
export function returnPrivate(buffer: Buffer): void {
  if (spare.length < MOST_SPARE) spare.push(buffer);
}

/** Node asks for a socket's next buffer without telling the socket, right behind the read callback. */
let next: Buffer = shared;

/** Node's `onread.buffer`: called when a socket is made, and after each read callback. */
export function nextBuffer(): Buffer {
  const buffer = next;
  next = shared;
  return buffer;
}

/** To be called at the end of each read callback. @param buffer for the same socket's next read */
export function readInto(buffer: Buffer): void {
  next = buffer;
}

/** The buffer that a socket reads into at first. */
export { shared as sharedBuffer };
