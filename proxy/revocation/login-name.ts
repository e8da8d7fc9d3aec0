import type { ByteString } from "../../shared/lookup.ts";
import { comparableAddress } from "../../shared/user-address.ts";
import { decoded } from "../bytes.ts";

/** A login, as bytes of a client, in the form in which Postern's worker compares it. */
export function comparableLogin(login: ByteString): string {
  return comparableAddress(decoded(login));
}
