/** Takes the revocations that the directory has noted, and hands them to the proxies. */
import { drizzle } from "drizzle-orm/d1";
import { isBookmark } from "../../shared/user-version.ts";
import { loginNames } from "../directory/login-names.ts";
import {
  forgetRevocations,
  type NotedRevocation,
  notedRevocations,
} from "../directory/revocations.ts";
import type { Revocation } from "./kicks.ts";

/**
 * A revocation is forgotten after it was handed over, so that none is lost. One that is handed over twice does no harm.
 *
 * @throws Error if the directory cannot be read or written
 */
export async function collectRevocations(
  database: D1Database,
  handOver: (revocation: Revocation) => void,
): Promise<void> {
  const session = database.withSession("first-primary");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- drizzle uses the two methods that a session has
  const directory = drizzle(session as unknown as D1Database);
  for (;;) {
    const noted = await notedRevocations(directory);
    const last = noted.at(-1);
    if (last === undefined) return;
    // The bookmark is that of the reading, and so not older than any of the changes.
    const bookmark = session.getBookmark();
    for (const revocation of latest(noted)) {
      handOver({ ...revocation, bookmark: isBookmark(bookmark) ? bookmark : null });
    }
    await forgetRevocations(directory, last.number);
  }
}

type NotedKick = Omit<Revocation, "bookmark">;

/** Leaves out what a later revocation of the same user and names covers. */
function latest(noted: readonly NotedRevocation[]): Iterable<NotedKick> {
  return new Map(
    noted.map(kickOf).map((kick) => [JSON.stringify([kick.user?.id, kick.names]), kick]),
  ).values();
}

function kickOf(row: NotedRevocation): NotedKick {
  const { id, version } = row;
  return { names: loginNames(row), user: id === null || version === null ? null : { id, version } };
}
