/** Lists the proxies that are connected now. */
import { createRoute, z } from "@hono/zod-openapi";
import { fleetStub } from "../fleet/client.ts";
import { forRole } from "./http/access.ts";
import { PROBLEMS, newApp, onePage } from "./http/app.ts";

export const proxies = newApp();

const Proxy = z.object({
  name: z.string().openapi({ description: "The name of its token" }),
  host: z.string(),
  version: z.string(),
  sessions: z.int().openapi({ description: "The number of connected clients" }),
  since: z.iso.datetime(),
  seen: z.iso.datetime(),
});

const list = createRoute({
  method: "get",
  path: "/proxies",
  summary: "List: connected proxies",
  ...forRole("read"),
  responses: { 200: onePage(Proxy), ...PROBLEMS },
});

proxies.openapi(list, async (c) => {
  const items = (await fleetStub(c.env.FLEET).connected()).map(({ since, seen, ...proxy }) => {
    return { ...proxy, since: isoOf(since), seen: isoOf(seen) };
  });
  return c.json({ items, next: null }, 200);
});

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
