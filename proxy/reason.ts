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
]);

/** What the system says of a call that failed, as nginx shows it. */
export function systemReason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return ERRNO_TEXT.get(code) ?? reason(error);
}
