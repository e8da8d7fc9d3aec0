// A selected inbox as one session sees it: message numbers change only when the client is told.
import type { Inbox, Message } from "../store.ts";
import { inSet } from "./syntax.ts";

export type Numbered = { readonly number: number; readonly message: Message };

export class View {
  readonly inbox: Inbox;
  readonly readOnly: boolean;
  #messages: Message[];

  constructor(inbox: Inbox, readOnly: boolean) {
    this.inbox = inbox;
    this.readOnly = readOnly;
    this.#messages = [...inbox.messages];
  }

  all(): Numbered[] {
    return this.#messages.map((message, index) => ({ number: index + 1, message }));
  }

  /** The messages of a set, given in numbers or UIDs. */
  pick(set: string, by: "number" | "uid"): Numbered[] {
    const key = ({ number, message }: Numbered) => (by === "uid" ? message.uid : number);
    const all = this.all();
    const last = all.at(-1);
    return all.filter((numbered) => inSet(set, key(numbered), last ? key(last) : 0));
  }

  /** Catches up with the inbox, and returns the lines that tell the client so. */
  refresh(): string {
    const lines: string[] = [];
    for (const { number, message } of this.all().toReversed()) {
      if (this.inbox.messages.includes(message)) continue;
      this.#messages.splice(number - 1, 1);
      lines.push(`* ${number} EXPUNGE\r\n`);
    }
    if (this.#messages.length < this.inbox.messages.length) {
      this.#messages = [...this.inbox.messages];
      lines.push(`* ${this.#messages.length} EXISTS\r\n`);
    }
    return lines.join("");
  }
}
