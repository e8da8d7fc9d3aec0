/** Session tickets (RFC 5077), since Node's own way knows neither several keys nor clients that get none. */
import { randomBytes } from "node:crypto";
import type { SecureContext } from "node:tls";

const PART = 16;

/** What OpenSSL is to do (SSL_CTX_set_tlsext_ticket_key_cb(3)). */
const NOTHING = 0;
const USE = 1;
/** Use it, and give the client a newer one. */
const RENEW = 2;

type Answer = readonly [what: number, hmac: Uint8Array, aes: Uint8Array, ...more: Uint8Array[]];

/** A part of Node that it does not document, and has for tests of its own. */
interface TicketContext {
  enableTicketKeyCallback(): void;
  onticketkeycallback: (name: Uint8Array, iv: Uint8Array, encrypt: boolean) => Answer;
}

interface Key {
  readonly name: Uint8Array;
  readonly hmac: Uint8Array;
  readonly aes: Uint8Array;
}

/** 48 bytes each: name, HMAC, AES. The newest encrypts, all decrypt. */
export type TicketKeys = readonly [newest: Uint8Array, ...older: Uint8Array[]];

/**
 * @param ticketKeys asked each time
 * @param mayResume asked when a ticket is about to be made, of the client that it would be for
 */
export function giveTickets(
  { context }: SecureContext,
  ticketKeys: () => TicketKeys,
  mayResume: () => boolean,
): void {
  if (!isTicketContext(context)) throw new TypeError("this Node cannot be told about tickets");
  context.enableTicketKeyCallback();
  context.onticketkeycallback = (name, _iv, encrypt) => {
    const keys = ticketKeys();
    const [newest] = keys;
    if (encrypt) {
      const key = parts(newest);
      return [mayResume() ? USE : NOTHING, key.hmac, key.aes, key.name, randomBytes(PART)];
    }
    const used = keys.find((key) => Buffer.compare(key.subarray(0, PART), name) === 0);
    const { hmac, aes } = parts(used ?? newest);
    return [used === undefined ? NOTHING : used === newest ? USE : RENEW, hmac, aes];
  };
}

function parts(key: Uint8Array): Key {
  const part = (index: number): Uint8Array =>
    Buffer.from(key.subarray(index * PART, (index + 1) * PART));
  return { name: part(0), hmac: part(1), aes: part(2) };
}

function isTicketContext(context: unknown): context is TicketContext {
  return typeof context === "object" && context !== null && "enableTicketKeyCallback" in context;
}
