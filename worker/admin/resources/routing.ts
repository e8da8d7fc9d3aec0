/** The resources of routing: groups, servers, domains and networks. */
import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { parseIp, parseNetwork } from "../../../shared/address.ts";
import { domains, groups, networks, servers } from "../../directory/schema/index.ts";
import { createInsertSchema, createSelectSchema, Name, Port } from "../http/fields.ts";
import * as normalize from "../rows/normalize.ts";
import type { Resource } from "../rows/resource.ts";

const newGroup = createInsertSchema(groups, { name: Name }).strict();

const groupRows: Resource = {
  path: "groups",
  name: "group",
  table: groups,
  key: ["name"],
  filters: [],
  shown: createSelectSchema(groups),
  create: newGroup,
  change: newGroup.omit({ name: true }).partial(),
  writer: "admin",
  normalize: {},
};

/** A host name of RFC 1123 section 2.1, and with underscores, which are in use. */
const HOST_NAME = /^(?=.{1,253}$)[a-z\d_](?:[a-z\d_-]{0,62})(?:\.[a-z\d_][a-z\d_-]{0,62})*$/i;

const Host = z
  .string()
  .refine((text) => parseIp(text) !== null || HOST_NAME.test(text), "an IP address or a host name");

const newServer = createInsertSchema(servers, {
  name: Name,
  group: Name,
  host: Host,
  imapPort: Port.nullish(),
  pop3Port: Port.nullish(),
  smtpPort: Port.nullish(),
  tlsName: Host.nullish(),
  weight: z.int().min(1).max(1_000_000).optional(),
  position: z.int().min(-1_000_000).max(1_000_000).optional(),
  latitude: z.number().min(-90).max(90).nullish(),
  longitude: z.number().min(-180).max(180).nullish(),
}).strict();

const failing = sql<string | null>`(
  select group_concat('port ' || port || ' until ' || time(until, 'unixepoch') || ' UTC: ' || why, '; ')
  from server_health as health
  where health.host = servers.host and health.until > unixepoch()
  and health.port in (servers.imap_port, servers.pop3_port, servers.smtp_port))`;

const serverRows: Resource = {
  path: "servers",
  name: "server",
  table: servers,
  key: ["name"],
  filters: ["group"],
  shown: createSelectSchema(servers).extend({
    failing: z.string().nullable().openapi({ description: "The failures that proxies agree on" }),
  }),
  beside: { failing },
  create: newServer,
  change: newServer.omit({ name: true }).partial(),
  writer: "admin",
  normalize: { host: normalize.host },
};

const newDomain = createInsertSchema(domains, { name: Name, group: Name }).strict();

const domainRows: Resource = {
  path: "domains",
  name: "domain",
  table: domains,
  key: ["name"],
  filters: [],
  shown: createSelectSchema(domains),
  create: newDomain,
  change: newDomain.omit({ name: true }).partial(),
  writer: "admin",
  normalize: { name: normalize.domain },
};

const newNetwork = createInsertSchema(networks, { network: Name, group: Name.nullish() })
  .omit({ prefix: true })
  .strict();

const networkRows: Resource = {
  path: "networks",
  name: "network",
  table: networks,
  key: ["network"],
  filters: [],
  shown: createSelectSchema(networks).omit({ prefix: true }),
  create: newNetwork,
  change: newNetwork.omit({ network: true }).partial(),
  writer: "admin",
  normalize: { network: normalize.network },
  complete: (row) => ({ row: { ...row, prefix: parseNetwork(String(row["network"]))?.prefix } }),
};

export const routingResources = [groupRows, serverRows, domainRows, networkRows];
