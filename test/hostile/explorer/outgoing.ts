/** The bytes on the way from Postern to a peer: those that the kernel has taken, and those that wait for it. */
import type { Choices } from "./choices.ts";

export class Outgoing {
  readonly #window: number;
  #sent = "";
  #queue = "";

  /** @param window bytes that the kernel holds for the peer */
  constructor(window: number) {
    this.#window = window;
  }

  /** Bytes that the kernel has not taken. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Bytes that the peer has not read. */
  get sent(): number {
    return this.#sent.length;
  }

  add(text: string): void {
    this.#queue += text;
  }

  /** The kernel takes what it has room for. */
  fill(): void {
    const room = this.#window - this.#sent.length;
    if (room <= 0 || this.#queue === "") return;
    this.#sent += this.#queue.slice(0, room);
    this.#queue = this.#queue.slice(room);
  }

  /** The peer reads. */
  read(choices: Choices): string {
    const all = this.#sent.length;
    const count = choices.oneIn(3) ? 1 + choices.below(all) : all;
    const text = this.#sent.slice(0, count);
    this.#sent = this.#sent.slice(count);
    return text;
  }

  readAll(): string {
    const text = this.#sent;
    this.#sent = "";
    return text;
  }

  dropQueue(): void {
    this.#queue = "";
  }
}
