/** Whose sessions were to end, in the storage of a Durable Object: for proxies that were away when it was said. */
import { z } from "zod";

/** A kick is known for a day, ms, and is one of the last so many. */
const KEPT_FOR = 24 * 60 * 60 * 1000;
const MOST_KEPT = 10_000;

const SCHEMA = `
  create table if not exists kicks (
    number integer primary key autoincrement, time integer not null, names text not null
  );
  create table if not exists repetitions (due integer not null, names text not null);`;

export interface Kick {
  /** One greater than that of the one before. */
  readonly number: number;
  /** Of one user. */
  readonly names: readonly string[];
}

/** What a proxy has not heard. */
export interface Missed {
  readonly kicks: readonly Kick[];
  /** The number of the last one, 0 where there has been none. */
  readonly last: number;
  /** False where there were others, which are forgotten. */
  readonly complete: boolean;
}

export class Kicks {
  readonly #sql: SqlStorage;

  constructor(storage: SqlStorage) {
    this.#sql = storage;
    storage.exec(SCHEMA);
  }

  /** @param now ms since the epoch, as all times here */
  add(names: readonly string[], now: number): Kick {
    const { number } = this.#sql
      .exec<{ number: number }>(
        "insert into kicks (time, names) values (?, ?) returning number",
        now,
        JSON.stringify(names),
      )
      .one();
    // Never this one: its number says how many there were. Nor are those looked at that stay.
    this.#sql.exec(
      `delete from kicks where number <= ?
       or number < (select number from kicks where time > ? order by number limit 1)`,
      number - MOST_KEPT,
      now - KEPT_FOR,
    );
    return { number, names };
  }

  /** It is to be added once more then. */
  repeat(names: readonly string[], due: number): void {
    this.#sql.exec(
      "insert into repetitions (due, names) values (?, ?)",
      due,
      JSON.stringify(names),
    );
  }

  /** Takes out what is to be added once more by now. */
  takeDue(now: number): readonly (readonly string[])[] {
    return this.#sql
      .exec<{ names: string }>("delete from repetitions where due <= ? returning names", now)
      .toArray()
      .map(({ names }) => namesIn(names));
  }

  /** When something is; null where nothing is. */
  get nextDue(): number | null {
    const { due } = this.#sql
      .exec<{ due: number | null }>("select min(due) as due from repetitions")
      .one();
    return due;
  }

  /**
   * @param heard the number of the last kick that the proxy knows of; null where it knows of none
   * @param age ms that it has had sessions for: of what is older it need not know
   */
  missedBy(heard: number | null, age: number, now: number): Missed {
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
    const reached = last - first < MOST_KEPT - 1 || oldest <= now - age;
    const complete =
      heard === null ? age < KEPT_FOR && reached : first - 1 <= heard && heard <= last;
    return { kicks, last, complete };
  }
}

function namesIn(text: string): string[] {
  return z.array(z.string()).parse(JSON.parse(text));
}
