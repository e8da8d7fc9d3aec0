/** Every user with the password's hash, for a backup or another system. */
import { createRoute, z } from "@hono/zod-openapi";
import { drizzle } from "drizzle-orm/d1";
import { users } from "../directory/schema/index.ts";
import { forRole } from "./http/access.ts";
import { PROBLEMS, answer, newApp } from "./http/app.ts";
import { createSelectSchema } from "./http/fields.ts";
import { userRows } from "./resources/index.ts";
import { auditStatement } from "./rows/audit.ts";
import { Cursor, Cursors } from "./rows/cursor.ts";
import { listRows } from "./rows/queries.ts";

export const exportUsers = newApp();

/** Rows of a page. */
const PAGE = 1000;

const exported = createSelectSchema(users).omit({ id: true, version: true });

const route = createRoute({
  method: "get",
  path: "/export",
  summary: "List every user, with the password's hash",
  ...forRole("admin"),
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
  const { caller } = c.var;
  const cursors = new Cursors(c.env);
  const listing = { path: "/export", filters: {}, caller };
  const cursor = c.req.valid("query").after;
  const after = cursor === undefined ? undefined : await cursors.read(cursor, listing);
  const details = { after: after?.[0] ?? null };
  // A page is recorded before it is read, so that no hash is told without a record.
  await auditStatement(directory, {
    actor: caller.name,
    action: "user.export",
    subject: "all",
    details,
  });
  const { items, next } = await listRows(directory, userRows, { after, limit: PAGE, filters: {} });
  const rows = items.map((row) => exported.parse(row));
  return c.json({ items: rows, next: next && (await cursors.write(next, listing)) }, 200);
});
