import { getSystemErrorMessage } from "node:util";

/** nginx connects without waiting, and `recv()` then reports the failure. */
const CALLS: Readonly<Record<string, string>> = { connect: "recv", read: "recv", write: "send" };

/** OpenSSL's line: `…:error:0A00010B:SSL routines:function:wrong version number:file:line:`. */
const OPENSSL = /error:([0-9A-F]{8}):([^:]*):[^:]*:([^:]*)/;

/** nginx puts the errno behind a message. */
export const TIMED_OUT = "timed out (110: Connection timed out)";

/**
 * The text of anything that was thrown. An error of a connection, by the system or by OpenSSL, is in nginx's words:
 * `recv() failed (104: Connection reset by peer)`, `SSL: error:0A00010B:SSL routines::…`.
 */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("syscall" in error && "errno" in error && typeof error.errno === "number") {
    const call = CALLS[String(error.syscall)];
    if (call !== undefined) return `${call}() failed (${-error.errno}: ${words(error.errno)})`;
  }
  // Only OpenSSL's own errors have `library`; other errors may quote one.
  const [, code, library, text] = ("library" in error && OPENSSL.exec(error.message)) || [];
  return code === undefined ? error.message : `SSL: error:${code}:${library}::${text}`;
}

/** libuv's words. For errors of connections they are the C library's but for the first letter. */
function words(errno: number): string {
  const text = getSystemErrorMessage(errno);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The C library's words, which nginx writes. libuv's differ for some of these errors. */
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

/** The text of a system call's error, as nginx writes it. */
export function systemReason(error: unknown): string {
  return ERRNO_TEXT.get(errorCode(error)) ?? reason(error);
}

/** `node:os` wraps the system's error in another one. */
function errorCode(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return undefined;
  if ("info" in error) return errorCode(error.info);
  return "code" in error ? error.code : undefined;
}
