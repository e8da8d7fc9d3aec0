/**
 * Session ticket keys for configurations without `ssl_session_ticket_key`. They are random, and replaced regularly,
 * so that a stolen key opens few sessions. Tickets of the key before stay valid until the next replacement.
 */
import { randomBytes } from "node:crypto";
import type { TicketKeys } from "../transport/index.ts";

/** ms */
const LIFETIME = 12 * 60 * 60 * 1000;

export class RandomTicketKeys {
  #current: TicketKeys = [newKey()];

  /** @param renewed gets all keys after each replacement */
  constructor(renewed: (keys: TicketKeys) => void) {
    const renew = (): void => {
      this.#current = [newKey(), this.#current[0]];
      renewed(this.#current);
    };
    setInterval(renew, LIFETIME).unref();
  }

  get current(): TicketKeys {
    return this.#current;
  }
}

function newKey(): Uint8Array {
  return randomBytes(48);
}
