/** Lists and lifts the blocks of accounts and networks with too many failed logins. */
import { createRoute, z } from "@hono/zod-openapi";
import { drizzle } from "drizzle-orm/d1";
import { clientNetwork, parseIp } from "../../shared/address.ts";
import { ownerOf } from "../directory/users.ts";
import { liftBlock, listBlocks } from "../penalties/blocks.ts";
import { forRole } from "./http/access.ts";
import { ApiError } from "./http/api-error.ts";
import { PROBLEMS, newApp, onePage } from "./http/app.ts";
import { auditStatement } from "./rows/audit.ts";
import * as normalize from "./rows/normalize.ts";

export const blocks = newApp();

const Kind = z.enum(["account", "network"]);

const Block = z.object({
  kind: z.enum([...Kind.options, "domain", "all"]).openapi({
    description:
      "`domain` and `all` are alarms: they refuse no login, and their failures are an estimate",
  }),
  name: z.string(),
  login: z.string().openapi({
    description: "The only login name under which the account is blocked, where there is one",
  }),
  network: z.string().openapi({
    description: "The only network from which the account is blocked, where there is one",
  }),
  failures: z.int(),
  expires: z.iso.datetime(),
});

const list = createRoute({
  method: "get",
  path: "/blocks",
  summary: "List: blocked accounts and networks, and alarms, those with most failures first",
  ...forRole("read"),
  responses: { 200: onePage(Block), ...PROBLEMS },
});

blocks.openapi(list, async (c) => {
  const found = await listBlocks(c.env.PENALTIES);
  const items = found.map(({ kind, name, login, network, failures, expires }) => {
    return { kind, name, login, network, failures, expires: new Date(expires).toISOString() };
  });
  return c.json({ items, next: null }, 200);
});

const lift = createRoute({
  method: "delete",
  path: "/blocks/{kind}/{name}",
  summary: "Forget the failed logins of an account or a network",
  description: "Workers may remember a block for some seconds more.",
  ...forRole("support"),
  request: { params: z.object({ kind: Kind, name: z.string() }) },
  responses: { 204: { description: "The failed logins are forgotten" }, ...PROBLEMS },
});

blocks.openapi(lift, async (c) => {
  const { kind, name } = c.req.valid("param");
  const subject = kind === "account" ? await accountNamed(name, c.env) : networkNamed(name);
  if (!(await liftBlock(c.env.PENALTIES, kind, subject))) {
    throw new ApiError(404, `no failed logins are counted for ${kind} ${subject}`);
  }
  const change = { actor: c.var.caller.name, action: "block.delete", subject, details: { kind } };
  await auditStatement(drizzle(c.env.DB), change);
  return c.body(null, 204);
});

/** The failures under all names of a user are counted in one place, so an alias stands for its user. */
async function accountNamed(name: string, env: Env): Promise<string> {
  const address = normalize.address(name, env);
  return (await ownerOf(drizzle(env.DB), address)) ?? address;
}

/** Failures are counted by network, so an address stands for its network. */
function networkNamed(name: string): string {
  const ip = parseIp(name);
  return ip === null ? normalize.network(name) : clientNetwork(ip);
}
