/** Stores kicks in a Durable Object, for proxies that were not connected at the time. */
import { z } from "zod";

/** ms that a kick is kept, and the number of kicks that are kept. */
const KEPT_FOR = 24 * 60 * 60 * 1000;
const MAX_KICKS = 10_000;

const SCHEMA = `
  create table if not exists kicks (
    number integer primary key autoincrement, time integer not null, names text not null
  );
  create table if not exists repetitions (due integer not null, names text not null);`;

export interface Kick {
  /** The number of the previous kick plus one. */
  readonly number: number;
  /** The names of one user. */
  readonly names: readonly string[];
}

/** The kicks that a proxy has missed. */
export interface MissedKicks {
  readonly kicks: readonly Kick[];
  /** The number of the last kick; 0 if there was none. */
  readonly last: number;
  /** False if the proxy has missed others that are no longer kept. */
  readonly complete: boolean;
}

export class Kicks {
  readonly #sql: SqlStorage;

  constructor(storage: SqlStorage) {
    this.#sql = storage;
    storage.exec(SCHEMA);
  }

  /** @param now ms since the epoch, as are all times in this file */
  add(names: readonly string[], now: number): Kick {
    const { number } = this.#sql
      .exec<{ number: number }>(
        "insert into kicks (time, names) values (?, ?) returning number",
        now,
        JSON.stringify(names),
      )
      .one();
    // The new row stays, since its number counts the kicks. The condition on the number avoids a scan of kept rows.
    this.#sql.exec(
      `delete from kicks where number <= ?
       or number < (select number from kicks where time > ? order by number limit 1)`,
      number - MAX_KICKS,
      now - KEPT_FOR,
    );
    return { number, names };
  }

  /** Schedules another kick with these names. */
  repeat(names: readonly string[], due: number): void {
    this.#sql.exec(
      "insert into repetitions (due, names) values (?, ?)",
      due,
      JSON.stringify(names),
    );
  }

  /** Removes and returns the scheduled kicks that are due. */
  takeDue(now: number): readonly (readonly string[])[] {
    return this.#sql
      .exec<{ names: string }>("delete from repetitions where due <= ? returning names", now)
      .toArray()
      .map(({ names }) => namesIn(names));
  }

  /** When the next scheduled kick is due; null if there is none. */
  get nextDue(): number | null {
    const { due } = this.#sql
      .exec<{ due: number | null }>("select min(due) as due from repetitions")
      .one();
    return due;
  }

  /**
   * @param heard the number of the last kick that the proxy has received; null if it has received none
   * @param age ms since the proxy started. It need not know of kicks before that.
   */
  missedBy(heard: number | null, age: number, now: number): MissedKicks {
    const { first, last, oldest } = this.#sql
      .exec<{ first: number; last: number; oldest: number }>(
        `select coalesce((select min(number) from kicks), 1) as first,
         coalesce((select max(number) from kicks), 0) as last,
         coalesce((select time from kicks order by number limit 1), 0) as oldest`,
      )
      .one();
    const kicks = this.#sql
      .exec<{ number: number; names: string }>(
        "select number, names from kicks where number > ? and time > ? order by number",
        heard ?? 0,
        heard === null ? now - age : 0,
      )
      .toArray()
      .map(({ number, names }) => ({ number, names: namesIn(names) }));
    const reached = last - first < MAX_KICKS - 1 || oldest <= now - age;
    const complete =
      heard === null ? age < KEPT_FOR && reached : first - 1 <= heard && heard <= last;
    return { kicks, last, complete };
  }
}

function namesIn(text: string): string[] {
  return z.array(z.string()).parse(JSON.parse(text));
}
