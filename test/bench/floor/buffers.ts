/** Read buffers: one for all sockets, and one of its own for each socket that moves much data. */
import type { OnReadOpts, Socket } from "node:net";

const SIZE = 65_536;

const shared = allocate();
const spare: Buffer[] = [];

/** The buffer for the next read of the socket that runs its callback now. */
let next = shared;

/** The receiver of the bytes of a socket. */
export interface SocketReader {
  /** The buffer that a busy socket reads into. */
  own: Buffer | null;
  received(bytes: Uint8Array): void;
}

interface ReadSocket extends Socket {
  reader?: SocketReader;
}

/** Options of a socket. Node asks for the next buffer right behind the callback. */
export const READING = {
  onread: {
    buffer: nextBuffer,
    callback(this: unknown, count: number, buffer: Uint8Array): boolean {
      const { reader } = this as ReadSocket;
      if (reader === undefined) return true;
      reader.received(buffer.subarray(0, count));
      next = reader.own ?? shared;
      return true;
    },
  } satisfies OnReadOpts,
};

function nextBuffer(): Buffer {
  const buffer = next;
  next = shared;
  return buffer;
}

export function isShared(bytes: Uint8Array): boolean {
  return bytes.buffer === shared.buffer;
}

export function takeBuffer(): Buffer {
  return spare.pop() ?? allocate();
}

export function giveBack(buffer: Buffer): void {
  spare.push(buffer);
}

/** Not from Node's pool. */
function allocate(): Buffer {
  return Buffer.from(new ArrayBuffer(SIZE));
}
