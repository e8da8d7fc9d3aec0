/** The actions on a user that are never a side effect of a change: set a password, kick, move. */
import { createRoute, z } from "@hono/zod-openapi";
import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Directory } from "../directory/database.ts";
import { groups, secrets, users } from "../directory/schema/index.ts";
import { keyIn, keySchema, pathOf } from "./collection.ts";
import { forRole } from "./http/access.ts";
import { ApiError } from "./http/api-error.ts";
import { PROBLEMS, answer, body, newApp } from "./http/app.ts";
import { Name } from "./http/fields.ts";
import { userRows } from "./resources/index.ts";
import { auditStatement } from "./rows/audit.ts";
import { Password, storedPassword } from "./rows/password.ts";
import { updateRow } from "./rows/queries.ts";
import type { Key } from "./rows/resource.ts";
import { endSessions, namedIn, revoking } from "./sessions.ts";

export const actions = newApp();

const user = pathOf(userRows);
const params = keySchema(userRows);

const password = createRoute({
  method: "post",
  path: `${user}/password`,
  summary: "Set a user's password",
  ...forRole("support"),
  request: { params, ...body(Password.strict()) },
  responses: { 200: answer("The user", userRows.shown), ...PROBLEMS },
});

actions.openapi(password, async (c) => {
  const key = keyIn(userRows, c.req.valid("param"), c.env);
  const changes = { passwordHash: storedPassword(c.req.valid("json"), c.env) };
  const how = { actor: c.var.caller.name, action: "password" };
  const directory = drizzle(c.env.DB);
  const row = await revoking(c.env, key, async () => {
    await forgetOwnSecret(directory, key);
    return updateRow(directory, userRows, key, changes, how);
  });
  return c.json(userRows.shown.parse(row), 200);
});

/** The password may also be kept sealed for APOP and CRAM-MD5, where the old one would go on to work. */
async function forgetOwnSecret(directory: Directory, [address]: Key): Promise<void> {
  const own = and(eq(secrets.user, String(address)), eq(secrets.purpose, "own"));
  await directory.delete(secrets).where(own);
}

const kick = createRoute({
  method: "post",
  path: `${user}/kick`,
  summary: "End a user's sessions on all proxies",
  description: "The user can log in again. To prevent that, disable the user.",
  ...forRole("support"),
  request: { params },
  responses: {
    204: {
      description: "Connected proxies have been told; the others hear of it when they reconnect",
    },
    ...PROBLEMS,
  },
});

actions.openapi(kick, async (c) => {
  const [address = ""] = keyIn(userRows, c.req.valid("param"), c.env).map(String);
  const directory = drizzle(c.env.DB);
  const [named] = await namedIn(directory, eq(users.address, address));
  // A deleted user may still be logged in.
  await endSessions(c.env, [named ?? { address, upstreamLogin: null, masterUser: null }]);
  const actor = c.var.caller.name;
  await auditStatement(directory, { actor, action: "user.kick", subject: address, details: {} });
  return c.body(null, 204);
});

const move = createRoute({
  method: "post",
  path: `${user}/move`,
  summary: "Set the server that holds a user's mailbox",
  description:
    "Move the mail first, because mail programs that are shown an empty mailbox delete their copy. " +
    "`null` unpins a user of a group with shared storage.",
  ...forRole("admin"),
  request: { params, ...body(z.strictObject({ server: Name.nullable() })) },
  responses: { 200: answer("The user", userRows.shown), ...PROBLEMS },
});

actions.openapi(move, async (c) => {
  const directory = drizzle(c.env.DB);
  const key = keyIn(userRows, c.req.valid("param"), c.env);
  const { server } = c.req.valid("json");
  if (server === null) await requireSharedStorage(directory, key);
  const how = { actor: c.var.caller.name, action: "move" };
  const row = await updateRow(directory, userRows, key, { server }, how);
  return c.json(userRows.shown.parse(row), 200);
});

/** With `own` storage, a user without a server would be placed anew, away from the mail. */
async function requireSharedStorage(directory: Directory, [address]: Key): Promise<void> {
  const [found] = await directory
    .select({ group: groups.name, storage: groups.storage })
    .from(users)
    .innerJoin(groups, eq(groups.name, users.group))
    .where(eq(users.address, String(address)));
  if (found?.storage !== "own") return;
  throw new ApiError(
    409,
    `in the group ${found.group} each server holds its users' mail: name the server that has it now`,
  );
}
