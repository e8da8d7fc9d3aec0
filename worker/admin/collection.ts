/** Makes the routes of a resource: list, create, show, change, delete. */
import { type OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { drizzle } from "drizzle-orm/d1";
import { type AdminEnv, forRole } from "./http/access.ts";
import { PROBLEMS, answer, body, newApp } from "./http/app.ts";
import { Cursor, Cursors } from "./rows/cursor.ts";
import { deleteRow, findRow, insertRow, listRows, updateRow } from "./rows/queries.ts";
import type { Key, Resource, Row, Settings } from "./rows/resource.ts";

export function collection(resource: Resource): OpenAPIHono<AdminEnv> {
  const app = newApp();
  list(app, resource);
  if (resource.create !== null) create(app, resource, resource.create);
  show(app, resource);
  if (resource.change !== null) change(app, resource, resource.change);
  if (resource.create !== null) remove(app, resource);
  return app;
}

function list(app: OpenAPIHono<AdminEnv>, resource: Resource): void {
  const { path, name, shown, filters, newestFirst } = resource;
  const prefixed = {
    prefix: z.string().max(320).optional().openapi({ description: "The beginning of the key" }),
  };
  const query = z.object({
    // Resources with the newest row first have numbers for keys.
    ...(newestFirst ? {} : prefixed),
    after: Cursor.optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
    ...Object.fromEntries(filters.map((filter) => [filter, z.string().optional()])),
  });
  const page = z.object({ items: z.array(shown), next: z.string().nullable() });
  const route = createRoute({
    method: "get",
    path: `/${path}`,
    summary: `List: ${name}`,
    ...forRole("read"),
    request: { query: query.strict() },
    responses: { 200: answer("A page of rows, in the order of their keys", page), ...PROBLEMS },
  });
  app.openapi(route, async (c) => {
    const { after, limit, ...rest } = c.req.valid("query");
    const cursors = new Cursors(c.env);
    const listing = { path: `/${path}`, filters: rest, caller: c.var.caller };
    const given = Object.entries(rest).filter((entry): entry is [string, string] => {
      return typeof entry[1] === "string";
    });
    const { prefix, ...columns } = Object.fromEntries(given);
    const { items, next } = await listRows(drizzle(c.env.DB), resource, {
      prefix: prefix === undefined ? undefined : normalPrefix(resource, prefix),
      after: after === undefined ? undefined : await cursors.read(after, listing),
      limit,
      filters: normalRow(resource, columns, c.env),
    });
    const rows = items.map((row) => shown.parse(row));
    return c.json({ items: rows, next: next && (await cursors.write(next, listing)) }, 200);
  });
}

function create(app: OpenAPIHono<AdminEnv>, resource: Resource, schema: z.ZodObject): void {
  const { path, name, shown, once, writer, complete } = resource;
  const created = once === undefined ? shown : shown.extend(once.shape);
  const route = createRoute({
    method: "post",
    path: `/${path}`,
    summary: `Create: ${name}`,
    description: once === undefined ? "" : "Only this response shows the secret.",
    ...forRole(writer),
    request: body(schema),
    responses: { 201: answer("The new row", created), ...PROBLEMS },
  });
  app.openapi(route, async (c) => {
    const directory = drizzle(c.env.DB);
    const given = normalRow(resource, c.req.valid("json"), c.env);
    const completed = (await complete?.(given, { settings: c.env, directory })) ?? { row: given };
    const row = await insertRow(directory, resource, completed.row, c.var.caller.name);
    return c.json({ ...shown.parse(row), ...completed.once }, 201);
  });
}

function show(app: OpenAPIHono<AdminEnv>, resource: Resource): void {
  const { name, shown } = resource;
  const route = createRoute({
    method: "get",
    path: pathOf(resource),
    summary: `Show: ${name}`,
    ...forRole("read"),
    request: { params: keySchema(resource) },
    responses: { 200: answer("The row", shown), ...PROBLEMS },
  });
  app.openapi(route, async (c) => {
    const key = keyIn(resource, c.req.valid("param"), c.env);
    return c.json(shown.parse(await findRow(drizzle(c.env.DB), resource, key)), 200);
  });
}

function change(app: OpenAPIHono<AdminEnv>, resource: Resource, schema: z.ZodObject): void {
  const { name, shown, writer } = resource;
  const route = createRoute({
    method: "patch",
    path: pathOf(resource),
    summary: `Change: ${name}`,
    ...forRole(writer),
    request: { params: keySchema(resource), ...body(schema) },
    responses: { 200: answer("The changed row", shown), ...PROBLEMS },
  });
  app.openapi(route, async (c) => {
    const key = keyIn(resource, c.req.valid("param"), c.env);
    const given = normalRow(resource, c.req.valid("json"), c.env);
    const directory = drizzle(c.env.DB);
    const context = { settings: c.env, directory };
    const changes = (await resource.alter?.(given, key, context)) ?? given;
    const actor = c.var.caller.name;
    const row = await updateRow(directory, resource, key, changes, { actor });
    return c.json(shown.parse(row), 200);
  });
}

function remove(app: OpenAPIHono<AdminEnv>, resource: Resource): void {
  const route = createRoute({
    method: "delete",
    path: pathOf(resource),
    summary: `Delete: ${resource.name}`,
    ...forRole(resource.writer),
    request: { params: keySchema(resource) },
    responses: { 204: { description: "The row is deleted" }, ...PROBLEMS },
  });
  app.openapi(route, async (c) => {
    const key = keyIn(resource, c.req.valid("param"), c.env);
    await deleteRow(drizzle(c.env.DB), resource, key, c.var.caller.name);
    await resource.deleted?.(key, c.env);
    return c.body(null, 204);
  });
}

/** `/app-passwords/{user}/{label}`. */
export function pathOf({ path, key }: Resource): string {
  return `/${path}${key.map((name) => `/{${name}}`).join("")}`;
}

export function keySchema({ key }: Resource): z.ZodObject {
  return z.object(Object.fromEntries(key.map((name) => [name, z.string()])));
}

export function keyIn(resource: Resource, params: Row, settings: Settings): Key {
  const row = normalRow(resource, params, settings);
  return resource.key.map((name) => String(row[name]));
}

/** A row with all values in the form that the directory holds. */
function normalRow<Given extends Row>(resource: Resource, row: Given, settings: Settings): Given {
  const normal = Object.entries(resource.normalize).flatMap(([name, form]) => {
    const value = row[name];
    return typeof value === "string" ? [[name, form(value, settings)]] : [];
  });
  return { ...row, ...Object.fromEntries(normal) };
}

/** The beginning of a key is normalized in the case of its letters alone. */
function normalPrefix({ key: [first = ""], normalize }: Resource, prefix: string): string {
  return first in normalize ? prefix.normalize("NFC").toLowerCase() : prefix;
}
