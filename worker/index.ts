/** The worker's doors. */
import { Hono } from "hono";
import { requireKey } from "./lookup/key.ts";
import { lookup } from "./lookup/lookup.ts";

export { Penalties } from "./penalties/index.ts";

const app = new Hono<{ Bindings: Env }>();

app.get("/", (c) => c.text("Postern's worker: it answers nginx's mail lookups at /auth.\n"));
app.get("/auth", requireKey, lookup);
/** The path in nginx's guide. */
app.get("/cgi-bin/nginxauth.cgi", requireKey, lookup);

export default app;
