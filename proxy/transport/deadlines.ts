/**
 * One timer for all deadlines of a process: a wheel of slots, turned every 100 ms while any deadline is set.
 *
 * A busy session moves its deadline with every chunk. A move into the future writes one number; the wheel files
 * the deadline anew when its old slot comes by.
 */
import type { Deadline, Expiring } from "./connection.ts";

/** ms between turns, which is also how late a deadline may fire. */
const TICK = 100;
const SLOTS = 1024;

export class Deadlines {
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<Entry>());
  #filed = 0;
  #turned = 0;
  #timer: NodeJS.Timeout | undefined;

  deadline(owner: Expiring): Deadline {
    return new Entry(this, owner);
  }

  file(entry: Entry): void {
    if (this.#filed++ === 0) {
      this.#turned = Math.floor(performance.now() / TICK);
      this.#timer = setInterval(() => this.#turn(), TICK).unref();
    }
    const turns = Math.max(Math.ceil(entry.due / TICK), this.#turned + 1);
    const beyond = Math.min(turns, this.#turned + SLOTS - 1);
    entry.slot = this.#slots[beyond % SLOTS];
    entry.slot?.add(entry);
  }

  remove(entry: Entry): void {
    entry.slot?.delete(entry);
    entry.slot = undefined;
    if (--this.#filed === 0) clearInterval(this.#timer);
  }

  #turn(): void {
    const now = performance.now();
    const until = Math.floor(now / TICK);
    while (this.#turned < until && this.#filed > 0) {
      const slot = this.#slots[++this.#turned % SLOTS];
      for (const entry of slot ?? []) {
        this.remove(entry);
        if (entry.due > now) this.file(entry);
        else entry.fire();
      }
    }
  }
}

class Entry implements Deadline {
  /** On `performance.now()`'s clock, ms. */
  due = Number.POSITIVE_INFINITY;
  slot: Set<Entry> | undefined;
  readonly #wheel: Deadlines;
  readonly #owner: Expiring;

  constructor(wheel: Deadlines, owner: Expiring) {
    this.#wheel = wheel;
    this.#owner = owner;
  }

  set(ms: number): void {
    const due = performance.now() + ms;
    if (this.slot !== undefined && due >= this.due) {
      this.due = due;
      return;
    }
    if (this.slot !== undefined) this.#wheel.remove(this);
    this.due = due;
    if (ms !== Number.POSITIVE_INFINITY) this.#wheel.file(this);
  }

  clear(): void {
    if (this.slot !== undefined) this.#wheel.remove(this);
  }

  fire(): void {
    this.#owner.expired();
  }
}
