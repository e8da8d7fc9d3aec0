/** Every user with the password's hash, for a backup or another system. */
import { createRoute, z } from "@hono/zod-openapi";
import { drizzle } from "drizzle-orm/d1";
import { users } from "../directory/schema/index.ts";
import { requireRole } from "./http/access.ts";
import { PROBLEMS, SECURITY, answer, newApp } from "./http/app.ts";
import { createSelectSchema } from "./http/fields.ts";
import { userRows } from "./resources/index.ts";
import { auditStatement } from "./rows/audit.ts";
import { Cursor, cursorOf } from "./rows/cursor.ts";
import { listRows } from "./rows/queries.ts";

export const exportUsers = newApp();

/** Rows of a page. */
const PAGE = 1000;

const exported = createSelectSchema(users);

const route = createRoute({
  method: "get",
  path: "/export",
  summary: "List every user, with the password's hash",
  security: SECURITY,
  middleware: requireRole("admin"),
  request: { query: z.strictObject({ after: Cursor.optional() }) },
  responses: {
    200: answer(
      "A page of users",
      z.object({ items: z.array(exported), next: z.string().nullable() }),
    ),
    ...PROBLEMS,
  },
});

exportUsers.openapi(route, async (c) => {
  const directory = drizzle(c.env.DB);
  const { after } = c.req.valid("query");
  const actor = c.var.caller.name;
  // The export of all hashes is recorded once, with its first page.
  if (after === undefined) {
    await auditStatement(directory, { actor, action: "user.export", subject: "all", details: {} });
  }
  const query = { after, limit: PAGE, filters: {} };
  const { items, next } = await listRows(directory, userRows, query);
  return c.json(
    { items: items.map((row) => exported.parse(row)), next: next && cursorOf(next) },
    200,
  );
});
