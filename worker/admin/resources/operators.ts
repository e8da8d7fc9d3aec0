/** The resources of operators: their tokens, and the audit of their changes. */
import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { adminTokens, audit } from "../../directory/schema/index.ts";
import { digestOf, newSecret } from "../../directory/secret.ts";
import { fleetStub } from "../../fleet/client.ts";
import { createInsertSchema, createSelectSchema, Name, Time } from "../http/fields.ts";
import type { Completed, Resource, Row } from "../rows/resource.ts";

/** Scanners that look for leaked secrets recognise a token by this prefix. */
const TOKEN_PREFIX = "postern_";

const tokenRows: Resource = {
  path: "tokens",
  name: "token",
  table: adminTokens,
  key: ["name"],
  filters: [],
  shown: createSelectSchema(adminTokens).omit({ digest: true }),
  create: createInsertSchema(adminTokens, { name: Name, expires: Time.nullish() })
    .omit({ digest: true, created: true })
    .strict(),
  change: null,
  deletable: {
    condition: sql`(${adminTokens.role} <> 'admin' or ${adminTokens.expires} <= unixepoch() or exists (
      select 1 from ${adminTokens} as other where other.name <> ${adminTokens.name}
      and other.role = 'admin' and (other.expires is null or other.expires > unixepoch())))`,
    otherwise:
      "this is the last token of an admin, and without one no other can be made; make one first",
  },
  writer: "admin",
  deleted: ([name], { FLEET }) => fleetStub(FLEET).disconnect(String(name)),
  normalize: {},
  once: z.object({ token: z.string() }),
  complete: completeToken,
};

export async function completeToken(row: Row): Promise<Completed & { once: { token: string } }> {
  const token = TOKEN_PREFIX + newSecret();
  const made = { digest: await digestOf(token), created: new Date() };
  return { row: { ...row, ...made }, once: { token } };
}

const auditRows: Resource = {
  path: "audit",
  name: "audit entry",
  table: audit,
  key: ["id"],
  filters: ["subject"],
  shown: createSelectSchema(audit),
  create: null,
  change: null,
  writer: "admin",
  normalize: {},
  newestFirst: true,
};

export const operatorResources = [tokenRows, auditRows];
