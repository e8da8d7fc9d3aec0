/** Ends the sessions of users on all proxies, and the cached answers that let them in. */
import { type SQL, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { HTTPException } from "hono/http-exception";
import type { Directory } from "../directory/database.ts";
import { type LoginNameColumns, loginNames } from "../directory/login-names.ts";
import { groups, users } from "../directory/schema/index.ts";
import { fleetStub } from "../fleet/client.ts";
import { describe, logError } from "../log/log.ts";
import type { Key } from "./rows/resource.ts";

/** The names by which proxies know the sessions of users. */
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

/** @throws HTTPException where the proxies could not be told */
export async function endSessions(
  { FLEET }: Env,
  whose: readonly LoginNameColumns[],
): Promise<void> {
  if (whose.length === 0) return;
  try {
    await fleetStub(FLEET).kick(whose.map(loginNames));
  } catch (error) {
    logError("sessions could not be ended", { reason: describe(error) });
    const message =
      "the change is made, but the proxies cannot be told; `users kick` ends the sessions later";
    throw new HTTPException(503, { message });
  }
}

/** Does work that takes a means of login away from a user, and ends the user's sessions. */
export async function revoking<Result>(
  env: Env,
  [address]: Key,
  work: () => Promise<Result>,
): Promise<Result> {
  // The work may change the names, or delete the user.
  const named = await namedIn(drizzle(env.DB), eq(users.address, String(address)));
  const result = await work();
  await endSessions(env, named);
  return result;
}
