/** Values that only OpenSSL can check. */
import { ConfigError, type Place } from "../language/error.ts";

export interface OpensslValue {
  readonly value: string;
  /** nginx's name for the call that takes the value. */
  readonly call: string;
  readonly place: Place;
}

/**
 * The refusal of a call in nginx's words.
 *
 * @param call nginx's name for it
 * @param why OpenSSL's error, with `SSL: ` in front or without
 */
export function opensslError(call: string, why: string, place: Place): ConfigError {
  return new ConfigError(`${call} failed (SSL: ${why.replace(/^SSL: /, "")})`, place);
}
