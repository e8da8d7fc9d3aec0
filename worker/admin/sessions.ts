/** Ends the sessions of users who lose a means of login, and the cached answers that let them in. */
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import { fleetStub } from "../fleet/client.ts";
import { describe, logError } from "../log/log.ts";
import type { AdminEnv } from "./http/access.ts";

/**
 * Lets the fleet collect the revocations that a change has made the database note. Where that fails, they stay noted:
 * the next change collects them, and so does the next message of any proxy, within a minute.
 */
export const collectRevocations = createMiddleware<AdminEnv>(async (c, next) => {
  await next();
  if (c.req.method === "GET" || !c.res.ok) return;
  try {
    await fleetStub(c.env.FLEET).collect();
  } catch (error) {
    logError("the proxies cannot be told of a change", { reason: describe(error) });
    throw new HTTPException(503, {
      message: "the change is made, and the proxies will be told as soon as they can be reached",
    });
  }
});
