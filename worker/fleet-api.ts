/** The API for proxies at `/fleet`. Each proxy has its own token (`npm run admin -- tokens add NAME role=fleet`). */
import { createRoute, z } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { MAX_REASON_LENGTH, MAX_REPORTS } from "../shared/fleet.ts";
import { authenticate, forRole, requireRole } from "./admin/http/access.ts";
import { PROBLEMS, body, newApp, errorResponse, tooLarge } from "./admin/http/app.ts";
import * as normalize from "./admin/rows/normalize.ts";
import { NO_CONTROLS, Port } from "./admin/http/fields.ts";
import { TOKEN_DIGEST, TOKEN_EXPIRES, PROXY_NAME } from "./fleet/sockets.ts";
import { FLEET_NAME } from "./fleet/client.ts";

/** Bytes: enough for all reports of a request, with three bytes in each character. */
const MAX_BODY_SIZE = 128 * 1024;

const Text = z.string().regex(NO_CONTROLS, "no control characters");
const server = { host: Text.min(1).max(253), port: Port };

const Report = z.discriminatedUnion("state", [
  z.strictObject({ ...server, state: z.literal("failing"), why: Text.max(MAX_REASON_LENGTH) }),
  z.strictObject({ ...server, state: z.literal("serving") }),
]);

export const fleet = newApp();

fleet.use(authenticate, requireRole("fleet"));
fleet.use(bodyLimit({ maxSize: MAX_BODY_SIZE, onError: tooLarge(MAX_BODY_SIZE) }));

const health = createRoute({
  method: "post",
  path: "/health",
  summary: "Report which mail servers fail, and which serve again",
  ...forRole("fleet"),
  request: body(z.strictObject({ reports: z.array(Report).max(MAX_REPORTS) })),
  responses: { 204: { description: "The reports are counted" }, ...PROBLEMS },
});

fleet.openapi(health, async (c) => {
  const reports = c.req.valid("json").reports.map((report) => {
    return { ...report, host: normalize.host(report.host) };
  });
  await c.env.FLEET.getByName(FLEET_NAME).report(c.var.caller.name, reports);
  return c.body(null, 204);
});

fleet.get("/live", (c) => {
  if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
    throw new HTTPException(426, { message: "this endpoint is a WebSocket" });
  }
  const { name, digest, expires } = c.var.caller;
  const headers = new Headers({ Upgrade: "websocket", [PROXY_NAME]: encodeURIComponent(name) });
  headers.set(TOKEN_DIGEST, digest);
  if (expires !== null) headers.set(TOKEN_EXPIRES, `${expires.getTime()}`);
  return c.env.FLEET.getByName(FLEET_NAME).fetch(c.req.url, { headers });
});

fleet.onError(errorResponse);
