/** `/fleet/…`: for proxies, each with a token of its own (`npm run admin -- tokens add NAME role=fleet`). */
import { createRoute, z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { LONGEST_WHY, MOST_REPORTS } from "../shared/fleet.ts";
import { authenticate, requireRole } from "./admin/http/access.ts";
import { PROBLEMS, SECURITY, body, newApp, errorResponse, tooLarge } from "./admin/http/app.ts";
import * as normalize from "./admin/rows/normalize.ts";
import { NO_CONTROLS, Port } from "./admin/http/fields.ts";
import { GOOD_UNTIL, PROXY_NAME } from "./fleet/sockets.ts";
import { THE_FLEET } from "./fleet/client.ts";

/** Bytes: so many reports of such a length, each character in three bytes. */
const LARGEST_BODY = 128 * 1024;

const Text = z.string().regex(NO_CONTROLS, "no control characters");
const server = { host: Text.min(1).max(253), port: Port };

const Report = z.discriminatedUnion("state", [
  z.strictObject({ ...server, state: z.literal("failing"), why: Text.max(LONGEST_WHY) }),
  z.strictObject({ ...server, state: z.literal("serving") }),
]);

export const fleet = newApp();

fleet.use(authenticate, requireRole("fleet"));
fleet.use(bodyLimit({ maxSize: LARGEST_BODY, onError: tooLarge(LARGEST_BODY) }));

const health = createRoute({
  method: "post",
  path: "/health",
  summary: "Say which mail servers fail, and which no longer do",
  security: SECURITY,
  request: body(z.strictObject({ reports: z.array(Report).max(MOST_REPORTS) })),
  responses: { 204: { description: "It is counted" }, ...PROBLEMS },
});

fleet.openapi(health, async (c) => {
  const reports = c.req.valid("json").reports.map((report) => {
    return { ...report, host: normalize.host(report.host) };
  });
  await c.env.FLEET.getByName(THE_FLEET).report(c.var.caller.name, reports);
  return c.body(null, 204);
});

/** The live line. */
fleet.get("/live", (c) => {
  if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
    throw new HTTPException(426, { message: "this is a WebSocket" });
  }
  const { name, expires } = c.var.caller;
  const headers = new Headers({ Upgrade: "websocket", [PROXY_NAME]: encodeURIComponent(name) });
  if (expires !== null) headers.set(GOOD_UNTIL, `${expires.getTime()}`);
  return c.env.FLEET.getByName(THE_FLEET).fetch(c.req.url, { headers });
});

fleet.onError(errorResponse);
