/** The actions on a user that are never a side effect of a change: set a password, kick, move. */
import { createRoute, z } from "@hono/zod-openapi";
import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Directory } from "../directory/database.ts";
import { noteRevocation } from "../directory/revocations.ts";
import { groups, secrets, users } from "../directory/schema/index.ts";
import { ownerOf } from "../directory/users.ts";
import { keyIn, keySchema, pathOf } from "./collection.ts";
import { forRole } from "./http/access.ts";
import { PROBLEMS, answer, body, newApp } from "./http/app.ts";
import { Name } from "./http/fields.ts";
import { userRows } from "./resources/index.ts";
import { IF_CHANGED, auditStatement } from "./rows/audit.ts";
import { Password, storedPassword } from "./rows/password.ts";
import { updateRow } from "./rows/queries.ts";
import type { Key } from "./rows/resource.ts";

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
  const actor = c.var.caller.name;
  const directory = drizzle(c.env.DB);
  const also = forgetOwnSecret(directory, key, actor);
  const how = { actor, action: "password", also };
  const row = await updateRow(directory, userRows, key, changes, how);
  return c.json(userRows.shown.parse(row), 200);
});

/** The password may also be kept sealed for APOP and CRAM-MD5, where the old one would go on to work. */
function forgetOwnSecret(directory: Directory, [address]: Key, actor: string) {
  const own = and(eq(secrets.user, String(address)), eq(secrets.purpose, "own"));
  const change = { actor, action: "secret.delete", subject: `${address} own`, details: {} };
  return [directory.delete(secrets).where(own), auditStatement(directory, change, IF_CHANGED)];
}

const kick = createRoute({
  method: "post",
  path: `${user}/kick`,
  summary: "End a user's sessions on all proxies",
  description:
    "The user can log in again. To prevent that, disable the user. An alias stands for its user.",
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
  const [name = ""] = keyIn(userRows, c.req.valid("param"), c.env).map(String);
  const directory = drizzle(c.env.DB);
  const address = (await ownerOf(directory, name)) ?? name;
  const actor = c.var.caller.name;
  await directory.batch([
    directory
      .update(users)
      .set({ version: sql`${users.version} + 1` })
      .where(eq(users.address, address)),
    // A deleted user may still be logged in, where a proxy knows the user by name alone.
    noteRevocation(directory, address),
    auditStatement(directory, { actor, action: "user.kick", subject: address, details: {} }),
  ]);
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
  const how = { actor: c.var.caller.name, action: "move" };
  const unpins = server === null ? { permitted: UNPINNABLE } : {};
  const row = await updateRow(directory, userRows, key, { server }, { ...how, ...unpins });
  return c.json(userRows.shown.parse(row), 200);
});

/** With `own` storage, a user without a server would be placed anew, away from the mail. */
const UNPINNABLE = {
  condition: sql`(select ${groups.storage} from ${groups} where ${groups.name} = ${users.group}) = 'shared'`,
  otherwise:
    "in the user's group each server holds its users' mail: name the server that has it now",
};
