/** Authenticates callers by their tokens. The directory holds only the digests of tokens. */
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
  /** The digest of the token, which tells it from an earlier one of its name. */
  readonly digest: string;
  readonly role: Role;
  /** Null where the token never expires. */
  readonly expires: Date | null;
}

/** The Hono environment of the admin API. */
export interface AdminEnv {
  Bindings: Env;
  Variables: { caller: Caller };
}

/** Finds the token by the index over the digests, so that the time says nothing about a nearly right token. */
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
  c.set("caller", token);
  return next();
});

/** The two halves of a route's protection, so that the OpenAPI document names the role that is enforced. */
export function forRole(needed: Role) {
  return { security: [{ token: [needed] }], middleware: requireRole(needed) };
}

/** A middleware for a route, after `authenticate`. */
export function requireRole(needed: Role) {
  return createMiddleware<AdminEnv>(async (c, next) => {
    const { name, role } = c.var.caller;
    if (!mayAct(role, needed)) {
      throw new ApiError(
        403,
        `the token ${name} has the role ${role}; this needs the role ${needed}`,
      );
    }
    return next();
  });
}

/** The token of a request. @throws ApiError */
export function bearer(c: Context): string {
  const [, token] = /^Bearer +(\S+) *$/i.exec(c.req.header("Authorization") ?? "") ?? [];
  if (token === undefined) throw new ApiError(401, "send a token: `Authorization: Bearer TOKEN`");
  return token;
}
