/** Makes the first token, for the holder of the deployment's secret. */
import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { adminTokens } from "../directory/schema/index.ts";
import { digestOf } from "../directory/secret.ts";
import { bearer } from "./http/access.ts";
import { ApiError } from "./http/api-error.ts";
import { PROBLEMS, answer, body, newApp } from "./http/app.ts";
import { Name } from "./http/fields.ts";
import { completeToken } from "./resources/index.ts";
import { IF_CHANGED, auditStatement } from "./rows/audit.ts";

export const bootstrap = newApp();

const route = createRoute({
  method: "post",
  path: "/bootstrap",
  summary: "Make the first token",
  description:
    "Takes the secret ADMIN_BOOTSTRAP in place of a token, and works only while there is no token.",
  security: [{ bootstrap: [] }],
  request: body(z.strictObject({ name: Name })),
  responses: { 201: answer("The token, shown once", z.object({ token: z.string() })), ...PROBLEMS },
});

bootstrap.openapi(route, async (c) => {
  const secret = c.env.ADMIN_BOOTSTRAP ?? "";
  // Digests have one length, and comparing them reveals nothing about the secret.
  if (secret === "" || (await digestOf(bearer(c))) !== (await digestOf(secret))) {
    throw new ApiError(401, "this is not the secret of `wrangler secret put ADMIN_BOOTSTRAP`");
  }
  const { name } = c.req.valid("json");
  const { row, once } = await completeToken({ name });
  const directory = drizzle(c.env.DB);
  const details = { role: "admin" };
  const change = { actor: "bootstrap", action: "token.create", subject: name, details };
  const [made] = await directory.batch([
    directory
      .insert(adminTokens)
      .select(
        sql`
        select ${name}, ${row["digest"]}, 'admin', unixepoch(), null
        where not exists (select 1 from ${adminTokens})`,
      )
      .returning(),
    auditStatement(directory, change, IF_CHANGED),
  ]);
  if (made.length === 0) {
    throw new ApiError(409, "there is a token already; its holder can make others");
  }
  return c.json(once, 201);
});
