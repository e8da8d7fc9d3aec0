/** Creates and updates many users at once, with the hashes of another system. */
import { createRoute, z } from "@hono/zod-openapi";
import { type SQL, getTableColumns, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Directory } from "../directory/database.ts";
import {
  aliases,
  audit,
  domains,
  groups,
  secrets,
  servers,
  users,
} from "../directory/schema/index.ts";
import { newUserId } from "../directory/user-id.ts";
import { type Caller, forRole } from "./http/access.ts";
import { ApiError, isForeignKeyError, constraintError, sentenceOf } from "./http/api-error.ts";
import { PROBLEMS, answer, body, newApp } from "./http/app.ts";
import { newUser } from "./resources/index.ts";
import * as normalize from "./rows/normalize.ts";
import { unusableReason } from "./rows/password.ts";
import type { Settings } from "./rows/resource.ts";

export const importUsers = newApp();

const MOST_ROWS = 1000;

const ImportedUser = newUser.omit({ password: true }).required({ passwordHash: true });

type Imported = z.infer<typeof ImportedUser>;

const Report = z.object({
  created: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  refused: z.array(z.object({ index: z.int(), reason: z.string() })),
});

type Refused = z.infer<typeof Report>["refused"][number];

const route = createRoute({
  method: "post",
  path: "/import",
  summary: "Create and update users",
  description:
    "Each row is accepted or refused by itself. A field that a row leaves out keeps its value, or gets its " +
    "default. A user who has a server is not moved. The same rows a second time change nothing.",
  ...forRole("admin"),
  request: body(
    z.strictObject({
      users: z
        .array(z.record(z.string(), z.unknown()))
        .max(MOST_ROWS)
        .openapi({ description: "As in `POST /users`, each with a passwordHash" }),
    }),
  ),
  responses: {
    200: answer(
      "The number of rows created, updated and unchanged, and the refused rows by their index",
      Report,
    ),
    ...PROBLEMS,
  },
});

importUsers.openapi(route, async (c) => {
  const directory = drizzle(c.env.DB);
  const refused: Refused[] = [];
  const readable = readRows(c.req.valid("json").users, c.env, refused);
  const fitting = await fitRows(directory, readable, refused);
  const { created, updated } = await writeRows(directory, fitting, c.var.caller);
  const unchanged = fitting.length - created - updated;
  return c.json({ created, updated, unchanged, refused }, 200);
});

/** A row, and its index in the request. */
interface Indexed {
  readonly index: number;
  readonly user: Imported;
}

/** Checks each row by itself. */
function readRows(rows: readonly unknown[], settings: Settings, refused: Refused[]): Indexed[] {
  const seen = new Set<string>();
  return rows.flatMap((row, index) => {
    try {
      const user = readRow(row, settings);
      if (seen.has(user.address)) throw new ApiError(409, "the address is in the request twice");
      seen.add(user.address);
      return [{ index, user }];
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      refused.push({ index, reason: error.message });
      return [];
    }
  });
}

/** @throws ApiError */
function readRow(row: unknown, settings: Settings): Imported {
  const { success, data, error } = ImportedUser.safeParse(row);
  if (!success) throw new ApiError(400, sentenceOf(error));
  const unusable = unusableReason(data.passwordHash, settings);
  if (unusable !== null) throw new ApiError(400, unusable);
  return { ...data, address: normalize.address(data.address, settings) };
}

/** Keeps the rows whose group and server exist, and gives each its group. */
async function fitRows(
  directory: Directory,
  rows: readonly Indexed[],
  refused: Refused[],
): Promise<(Imported & { readonly group: string })[]> {
  const facts = await directory.all<RowContext>(sql`
    select json ->> 'address' as address, wanted as "group", ${groups.name} is not null as "groupKnown",
      json ->> 'server' as server, ${servers.name} is not null as "serverKnown", placed,
      ${aliases.user} as "aliasOf"
    from (
      select value as json, ${users.server} as placed,
        coalesce(value ->> 'group', ${users.group}, ${domains.group}) as wanted
      from json_each(${JSON.stringify(rows.map(({ user }) => withDomain(user)))})
      left join ${users} on ${users.address} = value ->> 'address'
      left join ${domains} on ${domains.name} = value ->> 'domain')
    left join ${groups} on ${groups.name} = wanted
    left join ${servers} on ${servers.name} = json ->> 'server'
    left join ${aliases} on ${aliases.address} = json ->> 'address'`);
  const byAddress = new Map(facts.map((fact) => [fact.address, fact]));
  return rows.flatMap(({ index, user }) => {
    const fact = byAddress.get(user.address);
    const reason = fact === undefined ? "the address is not Unicode" : rejectReason(fact);
    if (reason === null) return [{ ...user, group: fact?.group ?? "" }];
    refused.push({ index, reason });
    return [];
  });
}

/** The state of the directory that decides on a row. */
interface RowContext {
  readonly address: string;
  /** The group of the row, else of the existing user, else of the domain. */
  readonly group: string | null;
  readonly groupKnown: number;
  readonly server: string | null;
  readonly serverKnown: number;
  /** The server of the existing user. */
  readonly placed: string | null;
  readonly aliasOf: string | null;
}

function rejectReason(facts: RowContext): string | null {
  const { group, groupKnown, server, serverKnown, placed, aliasOf } = facts;
  if (aliasOf !== null) return `this address is an alias of ${aliasOf}; delete that first`;
  if (group === null) return "no group is given, and the domain has none";
  if (groupKnown === 0) return `there is no group ${group}`;
  if (server === null) return null;
  if (serverKnown === 0) return `there is no server ${server}`;
  if (placed === null || placed === server) return null;
  return `the user is on ${placed}: to say that the mail is on ${server} now, move the user`;
}

function withDomain(user: Imported) {
  return { ...user, domain: user.address.slice(user.address.lastIndexOf("@") + 1) };
}

/** Columns of which an existing user keeps the value. */
const KEPT: readonly SQLiteColumn[] = [users.server, users.id, users.version];

/** Writes all rows in one transaction. The rows are one JSON parameter, because D1 binds at most 100. */
async function writeRows(directory: Directory, imported: readonly Imported[], { name }: Caller) {
  const rows = imported.map((row) => ({ ...row, id: newUserId(), version: 1 }));
  const columns = Object.entries(getTableColumns(users));
  const values = columns.map(([property, column]) => {
    const given = sql`value ->> ${property}`;
    // A user is placed once; only `move` changes the server. The id stays, and the database counts the version.
    if (KEPT.includes(column)) return sql`coalesce(${column}, ${given})`;
    const fallback = column.default === true ? sql`1` : sql`null`;
    return sql`coalesce(${given}, ${column}, ${fallback})`;
  });
  const changed = columns.filter(([, column]) => column !== users.id && column !== users.version);
  const stored = sql.join(
    columns.map(([, column]) => sql`${column}`),
    sql`, `,
  );
  const wanted = sql.join(values, sql`, `);
  const changing = sql`
    from json_each(${JSON.stringify(rows)}) left join ${users} on ${users.address} = value ->> 'address'
    where (${stored}) is not (${wanted})`;
  // The password may also be kept sealed for APOP and CRAM-MD5, where the old one would go on to work.
  const outdated = sql`${secrets.purpose} = 'own' and ${secrets.user} in (
    select ${users.address} from json_each(${JSON.stringify(rows)})
    join ${users} on ${users.address} = value ->> 'address'
    where ${users.passwordHash} <> value ->> 'passwordHash')`;
  try {
    const [recorded] = await directory.batch([
      directory
        .insert(audit)
        .select(
          sql`
          select null, unixepoch(), ${name}, iif(${users.address} is null, 'user.create', 'user.update'),
            value ->> 'address', '{"import":true}' ${changing}`,
        )
        .returning({ action: audit.action }),
      directory.insert(audit).select(sql`
        select null, unixepoch(), ${name}, 'secret.delete', ${secrets.user} || ' own', '{"import":true}'
        from ${secrets} where ${outdated}`),
      directory.delete(secrets).where(outdated),
      directory
        .insert(users)
        .select(sql`select ${wanted} ${changing}`)
        .onConflictDoUpdate({ target: users.address, set: excluded(changed) }),
    ]);
    const created = recorded.filter(({ action }) => action === "user.create").length;
    return { created, updated: recorded.length - created };
  } catch (error) {
    if (isForeignKeyError(error)) {
      throw new ApiError(409, "a group or a server has just been deleted; send the rows again");
    }
    throw constraintError(error, "a row") ?? error;
  }
}

function excluded(columns: readonly (readonly [string, { readonly name: string }])[]) {
  const set = columns.map(([property, { name }]): [string, SQL] => {
    return [property, sql`excluded.${sql.identifier(name)}`];
  });
  return Object.fromEntries(set);
}
