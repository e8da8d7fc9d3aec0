/** A ledger of what each mail program was told, and what must not stand in it. */

/** The answer to a login. `cut` is a connection that ended before one. */
export type Told = "granted" | "refused" | "unavailable" | "unknown" | "cut";

export interface Visit {
  readonly door: string;
  readonly address: string;
  readonly isRight: boolean;
  /** ms, as `performance.now()`; null without an answer. */
  readonly began: number;
  readonly answered: number | null;
  readonly ended: number;
  readonly told: Told;
  /** All lines up to the answer. */
  readonly words: readonly string[];
  /** The end of the work after the login: `foreign` is the mailbox of another user. Null without a login. */
  readonly work: "whole" | "damaged" | "foreign" | "cut" | null;
}

/** The time in which a fault was there, ms as `performance.now()`. */
export interface Outage {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** True where it ends connections that had nothing to do with their own end. */
  readonly cuts: boolean;
}

export class Ledger {
  readonly visits: Visit[] = [];
  readonly outages: Outage[] = [];
  /** Addresses of users whose message arrived with other bytes. */
  readonly damaged: string[] = [];

  count(told: Told): number {
    return this.visits.filter((visit) => visit.told === told).length;
  }

  /** Visits that an outage has met. */
  during({ from, to }: Outage): number {
    return this.visits.filter(({ began, ended }) => from <= ended && began <= to).length;
  }

  /**
   * Everything that breaks a promise, in words.
   *
   * @param deadline ms from the connection to the answer
   */
  violations(deadline: number): string[] {
    const found = this.damaged.map((address) => `the message of ${address} arrived damaged`);
    for (const visit of this.visits) {
      const wrong = this.#wrong(visit, deadline);
      if (wrong !== null) found.push(`${visit.door}, ${visit.address}: ${wrong}`);
    }
    return found;
  }

  #wrong(visit: Visit, deadline: number): string | null {
    const { isRight, told, work, began, answered, ended } = visit;
    const words = visit.words.join(" | ");
    if (told === "unknown") return `neither a yes nor a known no: ${words}`;
    if (isRight && told === "refused") return `a right password was refused: ${words}`;
    if (!isRight && told === "granted") return "a wrong password got in";
    if (work === "damaged" || work === "foreign") return `its message was ${work}`;
    if ((told === "cut" || work === "cut") && !this.#excuses(visit)) {
      return `it was cut ${Math.round(ended - began)} ms after its start, without a fault: ${words}`;
    }
    const took = (answered ?? ended) - began;
    return took > deadline ? `it waited ${Math.round(took)} ms` : null;
  }

  #excuses({ began, ended }: Visit): boolean {
    return this.outages.some(({ cuts, from, to }) => cuts && from <= ended && began <= to);
  }
}
