/**
 * Session tickets (RFC 5077). Node's `ticketKeys` knows one key and gives every client a ticket; Postern rotates
 * keys, and withholds tickets from clients whose certificate chain is too long.
 */
import { randomBytes } from "node:crypto";
import type { SecureContext } from "node:tls";
import type { TicketKeys } from "./options.ts";

const PART = 16;

/** Actions for OpenSSL (SSL_CTX_set_tlsext_ticket_key_cb(3)). */
const NOTHING = 0;
const USE = 1;
/**
 * Use the key, and give the client a new ticket. A client of TLS 1.3 shows each ticket once (RFC 8446 appendix C.4), so
 * without a new one every second session would be a full handshake. nginx renews tickets of TLS 1.3 alone; the
 * callback does not hear the version.
 */
const RENEW = 2;

type Answer = readonly [action: number, hmac: Uint8Array, aes: Uint8Array, ...more: Uint8Array[]];

/** Node does not document these members. Its own tests use them. */
interface TicketContext {
  enableTicketKeyCallback(): void;
  onticketkeycallback: (name: Uint8Array, iv: Uint8Array, encrypt: boolean) => Answer;
}

interface TicketKey {
  readonly name: Uint8Array;
  readonly hmac: Uint8Array;
  readonly aes: Uint8Array;
  /** The answer for a ticket that this key has encrypted. */
  readonly decrypt: Answer;
}

/** Ticket keys, cut into their parts. */
export class TicketKeyRing {
  #keys: readonly [TicketKey, ...TicketKey[]];
  #unknown: Answer;

  constructor(keys: TicketKeys) {
    this.#keys = parse(keys);
    this.#unknown = unknownKey(this.#keys[0]);
  }

  /** Replaces all keys, from the next handshake on. */
  set(keys: TicketKeys): void {
    this.#keys = parse(keys);
    this.#unknown = unknownKey(this.#keys[0]);
  }

  /** @param issue false for a client that gets no ticket */
  encrypt(issue: boolean): Answer {
    const [{ name, hmac, aes }] = this.#keys;
    return [issue ? USE : NOTHING, hmac, aes, name, randomBytes(PART)];
  }

  decrypt(name: Uint8Array): Answer {
    for (const key of this.#keys) if (Buffer.compare(key.name, name) === 0) return key.decrypt;
    return this.#unknown;
  }
}

/**
 * Lets a context issue and accept tickets.
 *
 * @param keys called for each ticket
 * @param mayResume false where the client whose handshake is being finished must not get a ticket
 */
export function useTickets(
  { context }: SecureContext,
  keys: () => TicketKeyRing,
  mayResume: () => boolean,
): void {
  if (!isTicketContext(context)) throw new TypeError("this Node has no callback for ticket keys");
  context.enableTicketKeyCallback();
  context.onticketkeycallback = (name, _iv, encrypt) =>
    encrypt ? keys().encrypt(mayResume()) : keys().decrypt(name);
}

function parse([newest, ...older]: TicketKeys): readonly [TicketKey, ...TicketKey[]] {
  return [ticketKey(newest), ...older.map(ticketKey)];
}

function ticketKey(key: Uint8Array): TicketKey {
  const part = (index: number): Uint8Array =>
    Buffer.from(key.subarray(index * PART, (index + 1) * PART));
  const [name, hmac, aes] = [part(0), part(1), part(2)];
  return { name, hmac, aes, decrypt: [RENEW, hmac, aes] };
}

/** Node wants keys in every answer. */
function unknownKey({ hmac, aes }: TicketKey): Answer {
  return [NOTHING, hmac, aes];
}

function isTicketContext(context: unknown): context is TicketContext {
  return typeof context === "object" && context !== null && "enableTicketKeyCallback" in context;
}
