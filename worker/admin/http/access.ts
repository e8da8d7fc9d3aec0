/** Who calls: holders of tokens, which the directory knows by their digests alone. */
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { adminTokens } from "../../directory/schema/index.ts";
import { digestOf } from "../../directory/secret.ts";
import { ApiError } from "./api-error.ts";
import { type Role, mayAct } from "./roles.ts";

export interface Caller {
  /** The token's name. */
  readonly name: string;
  readonly role: Role;
  /** When the token is good no more; null for never. */
  readonly expires: Date | null;
}

/** What the admin API's handlers find in their context. */
export interface AdminEnv {
  Bindings: Env;
  Variables: { caller: Caller };
}

/** Found by the index over the digests: what time it takes says nothing of how much was right. */
export const authenticate = createMiddleware<AdminEnv>(async (c, next) => {
  const [token] = await drizzle(c.env.DB)
    .select()
    .from(adminTokens)
    .where(eq(adminTokens.digest, await digestOf(bearer(c))));
  if (token === undefined) {
    throw new ApiError(401, "the token is unknown; if it was deleted, an admin can make a new one");
  }
  if (token.expires !== null && token.expires <= new Date()) {
    throw new ApiError(401, "the token has expired; an admin can make a new one");
  }
  const { name, role, expires } = token;
  c.set("caller", { name, role, expires });
  return next();
});

/** For a route, after `authenticate`. */
export function requireRole(needed: Role) {
  return createMiddleware<AdminEnv>(async (c, next) => {
    const { name, role } = c.var.caller;
    if (!mayAct(role, needed)) {
      throw new ApiError(403, `the token ${name} has the role ${role}; this takes ${needed}`);
    }
    return next();
  });
}

/** @throws ApiError */
export function bearer(c: Context): string {
  const [, token] = /^Bearer +(\S+) *$/i.exec(c.req.header("Authorization") ?? "") ?? [];
  if (token === undefined) throw new ApiError(401, "send a token: `Authorization: Bearer TOKEN`");
  return token;
}
