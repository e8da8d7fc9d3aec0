import { drizzle } from "drizzle-orm/d1";
import type { Context } from "hono";
import { users } from "./directory/schema/index.ts";
import { describe, logError } from "./log/log.ts";

/** Replies 200 if the directory can be read and has its tables, else 503. */
export async function health(c: Context<{ Bindings: Env }>): Promise<Response> {
  try {
    await drizzle(c.env.DB).select({ address: users.address }).from(users).limit(1);
    return c.text("ok\n");
  } catch (error) {
    logError("the directory cannot be read", { reason: describe(error) });
    return c.text("the directory cannot be read\n", 503);
  }
}
