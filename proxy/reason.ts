/** What an error says, whatever it was that was thrown. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The C library's words, which operators know from nginx. */
const ERRNO_TEXT: ReadonlyMap<unknown, string> = new Map([
  ["EPERM", "1: Operation not permitted"],
  ["ENOENT", "2: No such file or directory"],
  ["ESRCH", "3: No such process"],
  ["EACCES", "13: Permission denied"],
  ["ENOTDIR", "20: Not a directory"],
  ["EISDIR", "21: Is a directory"],
  ["EINVAL", "22: Invalid argument"],
  ["EROFS", "30: Read-only file system"],
  ["EAFNOSUPPORT", "97: Address family not supported by protocol"],
  ["EADDRINUSE", "98: Address already in use"],
  ["EADDRNOTAVAIL", "99: Cannot assign requested address"],
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
