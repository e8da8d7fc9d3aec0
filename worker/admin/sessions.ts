/** Ends the sessions of users on all proxies, and the cached answers that let them in. */
import { type SQL, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { HTTPException } from "hono/http-exception";
import type { Directory } from "../directory/database.ts";
import { groups, users } from "../directory/schema/index.ts";
import { theFleet } from "../fleet/client.ts";
import { describe, logError } from "../log.ts";
import { type Named, namesOf } from "../lookup/upstream-login.ts";
import type { Key } from "./rows/resource.ts";

/** The names by which proxies know the sessions of users. */
export function sessionNames(directory: Directory, condition: SQL) {
  return directory
    .select({
      address: users.address,
      upstreamLogin: users.upstreamLogin,
      masterUser: groups.masterUser,
    })
    .from(users)
    .innerJoin(groups, eq(groups.name, users.group))
    .where(condition);
}

/** @throws HTTPException where the proxies could not be told */
export async function endSessions({ FLEET }: Env, names: readonly Named[]): Promise<void> {
  if (names.length === 0) return;
  try {
    await theFleet(FLEET).kick(names.map(namesOf));
  } catch (error) {
    logError("sessions could not be ended", { reason: describe(error) });
    const message =
      "the change is made, but the proxies cannot be told; `users kick` ends the sessions later";
    throw new HTTPException(503, { message });
  }
}

/** Does work that takes a means of login away from a user, and ends the user's sessions. */
export async function withSessionsEnded<Result>(
  env: Env,
  [address]: Key,
  work: () => Promise<Result>,
): Promise<Result> {
  // The work may change the names, or delete the user.
  const named = await sessionNames(drizzle(env.DB), eq(users.address, String(address)));
  const result = await work();
  await endSessions(env, named);
  return result;
}
