/** OpenSSL's errors for files that it cannot use, as nginx logs them. */
import { getSystemErrorMessage } from "node:util";
import { reason } from "../../reason.ts";

export const KEY_VALUES_MISMATCH = "error:05800074:x509 certificate routines::key values mismatch";
export const KEY_TYPE_MISMATCH = "error:05800073:x509 certificate routines::key type mismatch";

export function noStartLine(expected: string): string {
  return `error:0480006C:PEM routines::no start line:Expecting: ${expected}`;
}

/** For a system call that failed. */
export function openFailure(path: string, error: unknown): string {
  if (!(error instanceof Error && "errno" in error && typeof error.errno === "number")) {
    return reason(error);
  }
  // Node's numbers are negative. OpenSSL sets the highest bit of a system error.
  const code = (0x8000_0000 - error.errno).toString(16);
  const words = getSystemErrorMessage(error.errno);
  const capitalised = words.charAt(0).toUpperCase() + words.slice(1);
  return `error:${code}:system library::${capitalised}:calling fopen(${path}, r)`;
}
