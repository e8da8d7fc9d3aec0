/** Converts between bytes, which peers exchange, and text in UTF-8, which people read. */
import type { ByteString } from "../shared/lookup.ts";

export function decoded(bytes: ByteString): string {
  // oxlint-disable-next-line no-control-regex -- ASCII is what is looked for
  return /^[\x00-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, "latin1").toString();
}

export function encoded(text: string): ByteString {
  return Buffer.from(text).toString("latin1");
}
