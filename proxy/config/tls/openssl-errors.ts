/** What OpenSSL says of something that it cannot use, as nginx repeats it. */
import { getSystemErrorMessage } from "node:util";
import { reason } from "../../reason.ts";
import { ConfigError, type Place } from "../language/error.ts";

/** A value that only OpenSSL can judge, with nginx's name for the call that it goes to, and where it stands. */
export interface Judged<Value = string> {
  readonly value: Value;
  readonly call: string;
  readonly place: Place;
}

export const KEY_VALUES_MISMATCH = "error:05800074:x509 certificate routines::key values mismatch";
export const KEY_TYPE_MISMATCH = "error:05800073:x509 certificate routines::key type mismatch";

export function noStartLine(expected: string): string {
  return `error:0480006C:PEM routines::no start line:Expecting: ${expected}`;
}

/** Of a system call that failed. */
export function openFailure(path: string, error: unknown): string {
  if (!(error instanceof Error && "errno" in error && typeof error.errno === "number")) {
    return reason(error);
  }
  // Node's numbers are negative; OpenSSL marks the system's with the highest bit.
  const code = (0x8000_0000 - error.errno).toString(16);
  const words = getSystemErrorMessage(error.errno);
  const capitalised = words.charAt(0).toUpperCase() + words.slice(1);
  return `error:${code}:system library::${capitalised}:calling fopen(${path}, r)`;
}

/**
 * @param call nginx's name for what failed
 * @param why with `SSL: ` in front or without
 */
export function failed(call: string, why: string, place: Place): ConfigError {
  return new ConfigError(`${call} failed (SSL: ${why.replace(/^SSL: /, "")})`, place);
}
