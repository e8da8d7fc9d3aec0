/**
 * Connects to the first of a server's addresses that answers (Happy Eyeballs, RFC 8305): the addresses are
 * dialled a moment apart, and the first connection wins.
 */
import type { Address, Connection, Dial, DialReceiver } from "../transport/index.ts";

/** ms until the next address is tried beside one that has not answered (RFC 8305 section 5). */
const ATTEMPT_DELAY = 250;

export interface ConnectorOwner {
  connected(connection: Connection, to: Address): void;
  /** One address could not be reached. */
  unreachable(to: Address, error: unknown): void;
  /** No address could be reached; each has been reported. */
  exhausted(): void;
}

export class Connector {
  readonly #dial: Dial;
  readonly #owner: ConnectorOwner;
  readonly #addresses: readonly Address[];
  /** The index of the address to dial next. */
  #next = 0;
  #underWay: Attempt[] = [];
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param addresses one at least, in the order in which they are to be tried */
  constructor(dial: Dial, addresses: readonly Address[], owner: ConnectorOwner) {
    this.#dial = dial;
    this.#addresses = addresses;
    this.#owner = owner;
  }

  /** Dials the next address, if one is left. */
  dialNext(): void {
    clearTimeout(this.#timer);
    const to = this.#addresses[this.#next];
    if (to === undefined || this.#over) return;
    this.#next++;
    const attempt = new Attempt(this, to);
    this.#underWay.push(attempt);
    // The timer comes first, since a dial may fail at once and go on to the next address.
    if (this.#next < this.#addresses.length) {
      this.#timer = setTimeout(() => this.dialNext(), ATTEMPT_DELAY);
    }
    attempt.start(this.#dial);
  }

  /** Reports every address under way as unreachable, and gives up. */
  giveUp(error: Error): void {
    if (this.#over) return;
    const left = this.#underWay;
    this.cancel();
    for (const { to } of left) this.#owner.unreachable(to, error);
    this.#owner.exhausted();
  }

  /** The owner hears nothing more. */
  cancel(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const attempt of this.#underWay) attempt.cancel();
    this.#underWay = [];
  }

  won(attempt: Attempt, connection: Connection): void {
    this.#underWay = this.#underWay.filter((other) => other !== attempt);
    this.cancel();
    this.#owner.connected(connection, attempt.to);
  }

  lost(attempt: Attempt, error: unknown): void {
    if (this.#over) return;
    this.#underWay = this.#underWay.filter((other) => other !== attempt);
    this.#owner.unreachable(attempt.to, error);
    if (this.#next < this.#addresses.length) this.dialNext();
    else if (this.#underWay.length === 0) {
      this.#over = true;
      this.#owner.exhausted();
    }
  }
}

/** One dial of one address. */
class Attempt implements DialReceiver {
  readonly to: Address;
  readonly #connector: Connector;
  #connection: Connection | null = null;

  constructor(connector: Connector, to: Address) {
    this.#connector = connector;
    this.to = to;
  }

  start(dial: Dial): void {
    try {
      this.#connection = dial(this.to, this);
    } catch (error) {
      this.#connector.lost(this, error);
    }
  }

  cancel(): void {
    this.#connection?.destroy();
  }

  connected(): void {
    if (this.#connection !== null) this.#connector.won(this, this.#connection);
  }

  closed(error: Error | null): void {
    this.#connector.lost(this, error ?? new Error("closed the connection"));
  }

  received(): void {}
  drained(): void {}
  ended(): void {}
}
