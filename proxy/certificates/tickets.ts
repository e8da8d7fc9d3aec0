/**
 * Keys of session tickets where the configuration has none: random, and new ones after a while, so that whoever
 * steals them reads little. The tickets of the one before hold until the next.
 */
import { randomBytes } from "node:crypto";
import type { TicketKeys } from "../transport/index.ts";

/** ms */
const LIFE = 12 * 60 * 60 * 1000;

export class OwnTicketKeys {
  #current: TicketKeys = [newKey()];

  /** @param renewed is told of all that there are */
  constructor(renewed: (keys: TicketKeys) => void) {
    const renew = (): void => {
      this.#current = [newKey(), this.#current[0]];
      renewed(this.#current);
    };
    setInterval(renew, LIFE).unref();
  }

  get current(): TicketKeys {
    return this.#current;
  }
}

function newKey(): Uint8Array {
  return randomBytes(48);
}
