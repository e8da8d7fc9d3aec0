import { getSystemErrorMessage } from "node:util";

/** nginx connects without waiting, and learns from `recv()` that it was in vain. */
const CALLS: Readonly<Record<string, string>> = { connect: "recv", read: "recv", write: "send" };

/** OpenSSL's line: `…:error:0A00010B:SSL routines:function:wrong version number:file:line:`. */
const OPENSSL = /error:([0-9A-F]{8}):([^:]*):[^:]*:([^:]*)/;

/** nginx writes the errno behind a message. */
export const TIMED_OUT = "timed out (110: Connection timed out)";

/**
 * What an error says, whatever it was that was thrown; in nginx's words where the system or OpenSSL tells of
 * a connection: `recv() failed (104: Connection reset by peer)`, `SSL: error:0A00010B:SSL routines::…`.
 */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("syscall" in error && "errno" in error && typeof error.errno === "number") {
    const call = CALLS[String(error.syscall)];
    if (call !== undefined) return `${call}() failed (${-error.errno}: ${words(error.errno)})`;
  }
  // Not of an error of ours that quotes OpenSSL's.
  const [, code, library, text] = ("library" in error && OPENSSL.exec(error.message)) || [];
  return code === undefined ? error.message : `SSL: error:${code}:${library}::${text}`;
}

/** libuv's words, which are the C library's but for the first letter where a connection is concerned. */
function words(errno: number): string {
  const text = getSystemErrorMessage(errno);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The C library's words, which operators know from nginx. */
const ERRNO_TEXT: ReadonlyMap<unknown, string> = new Map([
  ["EPERM", "1: Operation not permitted"],
  ["ENOENT", "2: No such file or directory"],
  ["ESRCH", "3: No such process"],
  ["EIO", "5: Input/output error"],
  ["EAGAIN", "11: Resource temporarily unavailable"],
  ["EACCES", "13: Permission denied"],
  ["ENOTDIR", "20: Not a directory"],
  ["EISDIR", "21: Is a directory"],
  ["EINVAL", "22: Invalid argument"],
  ["EFBIG", "27: File too large"],
  ["ENOSPC", "28: No space left on device"],
  ["EROFS", "30: Read-only file system"],
  ["EPIPE", "32: Broken pipe"],
  ["EAFNOSUPPORT", "97: Address family not supported by protocol"],
  ["EADDRINUSE", "98: Address already in use"],
  ["ECONNREFUSED", "111: Connection refused"],
  ["EADDRNOTAVAIL", "99: Cannot assign requested address"],
  ["EDQUOT", "122: Disk quota exceeded"],
]);

/** What the system says of a call that failed, as nginx shows it. */
export function systemReason(error: unknown): string {
  return ERRNO_TEXT.get(errorCode(error)) ?? reason(error);
}

/** `node:os` wraps the system's error in one of its own. */
function errorCode(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return undefined;
  if ("info" in error) return errorCode(error.info);
  return "code" in error ? error.code : undefined;
}
