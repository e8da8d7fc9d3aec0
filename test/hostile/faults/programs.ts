/** Mail programs at work, many at a time. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { accounts } from "./accounts.ts";
import { Ledger } from "./ledger.ts";
import { type Door, visit } from "./mail-program.ts";
import type { Site } from "./site.ts";

/** Each tenth program uses a wrong password. */
const WRONG = 10;

/** Mail programs that come again and again until `stop`. */
export class Programs {
  readonly #all: Promise<unknown>;
  #over = false;

  /** @param width so many at a time */
  constructor(width: number, doors: readonly Door[], ledger: Ledger) {
    let next = 0;
    const work = async (): Promise<void> => {
      while (!this.#over) {
        const number = next++;
        const account = accounts[number % accounts.length]!;
        // Each user comes by each door in time.
        const door = doors[(number + Math.floor(number / accounts.length)) % doors.length]!;
        ledger.visits.push(await visit(door, account, number % WRONG !== 0));
        await pause(20);
      }
    };
    this.#all = Promise.all(Array.from({ length: width }, work));
    this.#all.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#all;
  }
}

/** Some users by each door, and each user by some, which must all succeed. */
export async function everyoneIsServed(site: Site, ledger: Ledger): Promise<void> {
  const calm = new Ledger();
  for (const [index, door] of site.doors.entries()) {
    const some = accounts.filter((_, number) => number % 4 === index % 4);
    calm.visits.push(...(await Promise.all(some.map((one) => visit(door, one, true)))));
  }
  const unserved = calm.visits.filter(({ work }) => work !== "whole");
  assert.deepEqual(unserved, []);
  ledger.visits.push(...calm.visits);
}
