/**
 * Sends datagrams to a unix socket such as /dev/log. Node cannot, so this calls the C library on Linux by Node's
 * FFI. The socket is never connected and never waits. On other systems every datagram is dropped.
 */
import type ffi from "node:ffi";

/** Sends one datagram, or drops it, at once. @returns false where it is known to be dropped */
export type Send = (datagram: Uint8Array) => boolean;

/** Linux's numbers. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

export function unixDatagrams(path: string): Send {
  const library = cLibrary();
  if (library === null) return () => false;
  const descriptor = library.functions.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor === -1) return () => false;
  const address = socketAddress(path);
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  return (datagram) => {
    const length = BigInt(datagram.length);
    // Through `library`, which must live as long as its functions are called.
    const { sendto } = library.functions;
    return sendto(descriptor, datagram, length, flags, address, address.length) !== -1n;
  };
}

/** A `sockaddr_un`: the family in the machine's byte order, and the path with a final NUL. */
function socketAddress(path: string): Uint8Array {
  const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer);
  return Buffer.concat([family, Buffer.from(`${path}\0`)]);
}

function cLibrary() {
  if (process.platform !== "linux") return null;
  try {
    // null opens the program itself, whose symbols include those of its C library.
    return experimental("node:ffi").dlopen(null, {
      socket: { return: "i32", arguments: ["i32", "i32", "i32"] },
      sendto: { return: "i64", arguments: ["i32", "buffer", "u64", "i32", "buffer", "u32"] },
    });
  } catch {
    return null;
  }
}

/** Loads an experimental module without its warning, which would be two lines for each worker. */
function experimental(name: "node:ffi"): typeof ffi {
  const warn = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule(name);
  } finally {
    process.emitWarning = warn;
  }
}
