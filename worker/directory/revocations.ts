/** Users with logins that must end, as the database's triggers have noted them. */
import { asc, eq, lte, sql } from "drizzle-orm";
import type { Directory } from "./database.ts";
import { groups, revocations, users } from "./schema/index.ts";

export type NotedRevocation = typeof revocations.$inferSelect;

/** Rows that are read at once. */
const PAGE = 1000;

/** Lists the oldest ones. */
export function notedRevocations(directory: Directory): Promise<NotedRevocation[]> {
  return directory.select().from(revocations).orderBy(asc(revocations.number)).limit(PAGE);
}

/** Forgets all up to a number. The database gives no number twice, so that no later one is forgotten. */
export async function forgetRevocations(directory: Directory, last: number): Promise<void> {
  await directory.delete(revocations).where(lte(revocations.number, last));
}

/** The statement that notes all logins of a user, after their version was raised, or of a user who was deleted. */
export function noteRevocation(directory: Directory, address: string) {
  const { id, version, upstreamLogin } = users;
  return directory.insert(revocations).select(sql`
    select null, ${id}, ${version}, given.address, ${upstreamLogin}, ${groups.masterUser}
    from (select ${address} as address) as given
    left join ${users} on ${eq(users.address, sql`given.address`)}
    left join ${groups} on ${eq(groups.name, users.group)}`);
}
