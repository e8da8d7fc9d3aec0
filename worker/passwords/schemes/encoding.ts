/** Decodes the base64 or hex of stored passwords. */
import { type Encoding, type StoredText, UnreadableHash } from "./scheme.ts";

const DECODERS: Record<Encoding, (text: string) => Uint8Array | null> = { b64, hex };

/** @throws UnreadableHash */
export function decode(text: string, encoding: Encoding): Uint8Array {
  const bytes = DECODERS[encoding](text);
  if (bytes === null) throw new UnreadableHash(`it is not ${encoding}`);
  return bytes;
}

/**
 * Returns a stored text, decoded if it is in base64 or hex.
 *
 * @throws UnreadableHash
 */
export function textOf({ text, encoding }: StoredText): string {
  return encoding === null ? text : new TextDecoder("latin1").decode(decode(text, encoding));
}

/** The padding is optional, as in Dovecot. */
function b64(text: string): Uint8Array | null {
  const digits = /^([A-Za-z0-9+/]*)={0,2}$/.exec(text)?.[1];
  if (digits === undefined || digits.length % 4 === 1) return null;
  return Uint8Array.from(atob(digits), (unit) => unit.charCodeAt(0));
}

function hex(text: string): Uint8Array | null {
  if (!/^(?:[\da-f]{2})*$/i.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
