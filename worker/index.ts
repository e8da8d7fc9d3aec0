/** The routes of the worker, and its Durable Objects. */
import { Hono } from "hono";
import { admin } from "./admin/index.ts";
import { fleet } from "./fleet-api.ts";
import { fleetStub } from "./fleet/client.ts";
import { health } from "./health.ts";
import { requireNetwork } from "./lookup/caller-network.ts";
import { requireKey } from "./lookup/key.ts";
import { lookup } from "./lookup/pipeline.ts";
import { sampleWork } from "./passwords/work-records.ts";
import { purge } from "./directory/purge.ts";

export { Fleet } from "./fleet/index.ts";
export { Penalties } from "./penalties/index.ts";

const app = new Hono<{ Bindings: Env }>();

app.get("/", (c) => c.text("Postern's worker: it answers nginx's mail lookups at /auth.\n"));
// The second path is the one in nginx's guide.
for (const path of ["/auth", "/cgi-bin/nginxauth.cgi"]) {
  app.get(path, requireKey, requireNetwork, lookup);
  app.all(path, (c) => c.text("a lookup is a GET\n", 405, { Allow: "GET" }));
}
app.get("/healthz", health);
app.route("/admin/api", admin);
app.route("/fleet", fleet);

export default {
  fetch: app.fetch,
  async scheduled(_, env) {
    await purge(env);
    // Without a proxy, nothing else collects the revocations that were made by SQL.
    await fleetStub(env.FLEET).collect();
    await sampleWork(env);
  },
} satisfies ExportedHandler<Env>;
