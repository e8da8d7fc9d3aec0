/** Stores kicks in a Durable Object, for proxies that were not connected at the time. */
import { z } from "zod";
import type { KickMessage } from "../../shared/fleet.ts";
import { isBookmark, readUserVersion } from "../../shared/user-version.ts";

/** ms that a kick is kept, and the number of kicks that are kept. */
const KEPT_FOR = 24 * 60 * 60 * 1000;
const MAX_KICKS = 10_000;

/** Columns after `names` were added later, since older objects have a table without them. */
const SCHEMA = `
  create table if not exists kicks (
    number integer primary key autoincrement, time integer not null, names text not null
  );
  drop table if exists repetitions;`;
const LATER_COLUMNS = ["user", "bookmark"];

/** A revocation of one user's logins. */
export type Revocation = Omit<KickMessage, "kind" | "number">;

export type Kick = Omit<KickMessage, "kind">;

type KickRow = { names: string } & Record<"user" | "bookmark", string | null>;

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
    const columns = storage.exec<{ name: string }>("pragma table_info(kicks)").toArray();
    for (const later of LATER_COLUMNS) {
      if (columns.some(({ name }) => name === later)) continue;
      storage.exec(`alter table kicks add column ${later} text`);
    }
  }

  /** @param now ms since the epoch, as are all times in this file */
  add({ names, user, bookmark }: Revocation, now: number): Kick {
    const { number } = this.#sql
      .exec<{ number: number }>(
        "insert into kicks (time, names, user, bookmark) values (?, ?, ?, ?) returning number",
        now,
        JSON.stringify(names),
        JSON.stringify(user),
        bookmark,
      )
      .one();
    // The new row stays, since its number counts the kicks. The condition on the number avoids a scan of kept rows.
    this.#sql.exec(
      `delete from kicks where number <= ?
       or number < (select number from kicks where time > ? order by number limit 1)`,
      number - MAX_KICKS,
      now - KEPT_FOR,
    );
    return { number, names, user, bookmark };
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
      .exec<{ number: number } & KickRow>(
        "select number, names, user, bookmark from kicks where number > ? and time > ? order by number",
        heard ?? 0,
        heard === null ? now - age : 0,
      )
      .toArray()
      .map(({ number, ...row }) => ({ number, ...revocationIn(row) }));
    const reached = last - first < MAX_KICKS - 1 || oldest <= now - age;
    // None is dropped while the first one is kept, or to come.
    const complete =
      heard === null
        ? first === 1 || (age < KEPT_FOR && reached)
        : first - 1 <= heard && heard <= last;
    return { kicks, last, complete };
  }
}

function revocationIn({ names, user, bookmark }: KickRow): Revocation {
  return {
    names: z.array(z.string()).parse(JSON.parse(names)),
    user: readUserVersion(JSON.parse(user ?? "null")),
    bookmark: isBookmark(bookmark) ? bookmark : null,
  };
}
