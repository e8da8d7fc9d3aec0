/** Users' sessions end, on all proxies, with what has let them in. */
import { type SQL, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { HTTPException } from "hono/http-exception";
import type { Directory } from "../directory/database.ts";
import { groups, users } from "../directory/schema/index.ts";
import { theFleet } from "../fleet/client.ts";
import { describe, logError } from "../log.ts";
import { type Named, namesOf } from "../lookup/upstream-login.ts";
import type { Key } from "./rows/resource.ts";

/** What users' sessions are known by. */
export function namedIn(directory: Directory, whose: SQL) {
  return directory
    .select({
      address: users.address,
      upstreamLogin: users.upstreamLogin,
      masterUser: groups.masterUser,
    })
    .from(users)
    .innerJoin(groups, eq(groups.name, users.group))
    .where(whose);
}

/** @throws HTTPException where nobody could be told */
export async function endSessions({ FLEET }: Env, whose: readonly Named[]): Promise<void> {
  if (whose.length === 0) return;
  try {
    await theFleet(FLEET).kick(whose.map(namesOf));
  } catch (error) {
    logError("sessions that were to end go on", { reason: describe(error) });
    const message = "it is done, but proxies cannot be told; `users kick` ends the sessions later";
    throw new HTTPException(503, { message });
  }
}

/** Does what takes from a user what they may be logged in by, and ends their sessions. */
export async function revoking<Result>(
  env: Env,
  [address]: Key,
  work: () => Promise<Result>,
): Promise<Result> {
  // Afterwards they may have other names, or none.
  const named = await namedIn(drizzle(env.DB), eq(users.address, String(address)));
  const result = await work();
  await endSessions(env, named);
  return result;
}
