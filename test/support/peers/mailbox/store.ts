// The mail of one demo server: its accounts, and for each an inbox in memory.
// Content is kept as a "binary" string, one character a byte, as it is on the wire.
import { EventEmitter } from "node:events";

export type Message = {
  readonly uid: number;
  readonly received: Date;
  readonly content: string;
  readonly flags: Set<string>;
};

export class Inbox extends EventEmitter<{ delivered: [] }> {
  /** An inbox lives in memory, so one that is made anew must not be taken for the old one. */
  readonly uidValidity = Math.floor(Date.now() / 1000);
  messages: readonly Message[] = [];
  uidNext = 1;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  deliver(content: string): void {
    const lines = content.replaceAll(/\r?\n/g, "\r\n");
    const message = {
      uid: this.uidNext++,
      received: new Date(),
      content: lines,
      flags: new Set<string>(),
    };
    this.messages = [...this.messages, message];
    this.emit("delivered");
  }

  remove(gone: ReadonlySet<Message>): void {
    this.messages = this.messages.filter((message) => !gone.has(message));
  }
}

/** The inbox of each address. Servers that share a `Delivery` deliver to each other. */
export type Delivery = Map<string, Inbox>;

export type User = { readonly address: string; readonly password: string };

export class Store {
  readonly #passwords = new Map<string, string>();
  readonly #inboxes = new Map<string, Inbox>();

  constructor(users: readonly User[], delivery: Delivery) {
    for (const { address, password } of users) {
      const inbox = new Inbox();
      this.#passwords.set(address, password);
      this.#inboxes.set(address, inbox);
      delivery.set(address, inbox);
    }
  }

  /** The user's inbox, if the password is right. */
  open(address: string, password: string): Inbox | undefined {
    return this.#passwords.get(address) === password ? this.#inboxes.get(address) : undefined;
  }

  inbox(address: string): Inbox {
    const inbox = this.#inboxes.get(address);
    if (!inbox) throw new Error(`no such user: ${address}`);
    return inbox;
  }
}
