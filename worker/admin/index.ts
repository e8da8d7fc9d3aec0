/** The admin API, at `/admin/api/…`. */
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { actions } from "./actions.ts";
import { blocks } from "./blocks.ts";
import { bootstrap } from "./bootstrap.ts";
import { collection } from "./collection.ts";
import { exportUsers } from "./export.ts";
import { type AdminEnv, authenticate } from "./http/access.ts";
import { ApiError } from "./http/api-error.ts";
import { newApp, errorResponse, tooLarge } from "./http/app.ts";
import { importUsers } from "./import.ts";
import { proxies } from "./proxies.ts";
import { RESOURCES } from "./resources/index.ts";
import { collectRevocations } from "./sessions.ts";

/** Bytes. A batch of an import takes a few hundred thousand. */
const LARGEST_BODY = 1024 * 1024;

const onlyJson = createMiddleware<AdminEnv>(async (c, next) => {
  const type = c.req.header("Content-Type") ?? "";
  const bodiless = ["GET", "HEAD", "DELETE"].includes(c.req.method);
  if (!bodiless && !/^application\/json *(?:;|$)/i.test(type)) {
    throw new ApiError(415, "send JSON, with `Content-Type: application/json`");
  }
  return next();
});

export const admin = newApp();

admin.use(async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
  c.header("X-Content-Type-Options", "nosniff");
});
admin.use(onlyJson, bodyLimit({ maxSize: LARGEST_BODY, onError: tooLarge(LARGEST_BODY) }));

admin.openAPIRegistry.registerComponent("securitySchemes", "token", {
  type: "http",
  scheme: "bearer",
  description: "A token of the role that the operation names, or of one that includes it",
});
admin.openAPIRegistry.registerComponent("securitySchemes", "bootstrap", {
  type: "http",
  scheme: "bearer",
  description: "The secret ADMIN_BOOTSTRAP",
});
admin.doc31("/openapi.json", {
  openapi: "3.1.0",
  info: { title: "Postern's admin API", version: "1" },
  servers: [{ url: "/admin/api" }],
});

admin.route("/", bootstrap);
admin.use(authenticate, collectRevocations);
admin.route("/", actions);
admin.route("/", importUsers);
admin.route("/", exportUsers);
admin.route("/", blocks);
admin.route("/", proxies);
for (const resource of RESOURCES) admin.route("/", collection(resource));

admin.all("*", () => {
  throw new ApiError(404, "there is nothing here; /admin/api/openapi.json lists all paths");
});

admin.onError(errorResponse);
