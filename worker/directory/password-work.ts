/** The costs of stored hashes, as the directory records them. */
import { gt, sql } from "drizzle-orm";
import type { Directory } from "./database.ts";
import { passwordWork, users } from "./schema/index.ts";
import type { DirectorySession } from "./session.ts";

/** ms after which a kind of hash that was not met again is forgotten. */
export const REMEMBERED_FOR = 90 * 86_400_000;

/** Hashes in a sample. A scheme that one user in 500 has is missed by one sample in 50. */
const SAMPLE_SIZE = 2000;

export async function readPasswordWork(
  session: DirectorySession,
  now = Date.now(),
): Promise<readonly (typeof passwordWork.$inferSelect)[]> {
  const query = session.directory.select().from(passwordWork);
  return session.rows(query.where(gt(passwordWork.seen, new Date(now - REMEMBERED_FOR))));
}

/** Records work of each kind; the most counts. */
export async function recordPasswordWork(
  directory: Directory,
  work: readonly { readonly kind: string; readonly units: number }[],
  now = Date.now(),
): Promise<void> {
  const seen = new Date(now);
  const rows = work.map(({ kind, units }) => ({ kind, units, seen }));
  await directory
    .insert(passwordWork)
    .values(rows)
    .onConflictDoUpdate({
      target: passwordWork.kind,
      set: { units: sql`max(${passwordWork.units}, excluded.units)`, seen: sql`excluded.seen` },
    });
}

/** Reads the hashes of users at random, or of all users if they are few. */
export async function sampleHashes(
  session: DirectorySession,
  random: () => number = Math.random,
): Promise<readonly string[]> {
  const { directory } = session;
  const [row] = await session.rows(
    directory.select({ last: sql<number | null>`max(${users}.rowid)`.as("last") }).from(users),
  );
  const last = row?.last ?? 0;
  const hashes = directory.select({ passwordHash: users.passwordHash }).from(users);
  if (last <= SAMPLE_SIZE) {
    return (await session.rows(hashes)).map(({ passwordHash }) => passwordHash);
  }
  const ids = Array.from({ length: SAMPLE_SIZE }, () => 1 + Math.floor(random() * last));
  const wanted = sql`(select value from json_each(${JSON.stringify(ids)}))`;
  const found = await session.rows(hashes.where(sql`${users}.rowid in ${wanted}`));
  return found.map(({ passwordHash }) => passwordHash);
}
