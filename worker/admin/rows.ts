/** Reading and changing rows of any resource; each change is recorded in the transaction that makes it. */
import { type SQL, and, asc, desc, eq, getTableColumns, gte, lt, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Directory } from "../directory/users.ts";
import { HAPPENED, recording } from "./audit.ts";
import { Refusal, refusalOf } from "./refusal.ts";
import type { Resource, Row } from "./resource.ts";

/** The values of a row's key, in the order of its columns. */
export type Key = readonly (string | number)[];

export interface Query {
  /** What the first column of the key begins with. */
  readonly prefix?: string | undefined;
  /** Only what comes after this row. */
  readonly after?: Key | undefined;
  readonly limit: number;
  /** Values of columns, by their names. */
  readonly filters: Readonly<Record<string, string>>;
}

export interface Page {
  readonly items: readonly Row[];
  /** The key after which the next page begins; null at the end. */
  readonly next: Key | null;
}

/** No character sorts after it. */
const LAST_CHARACTER = "\u{10FFFF}";

/** In the order of the key, which has an index: a page costs the same wherever it is. */
export async function listRows(
  directory: Directory,
  resource: Resource,
  query: Query,
): Promise<Page> {
  const rows = await listQuery(directory, resource, query);
  const items = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : keyOf(resource, last) };
}

/** The statement of `listRows`, which asks for one row more than a page. */
export function listQuery(directory: Directory, resource: Resource, query: Query) {
  const { prefix, after, limit, filters } = query;
  const keys = resource.key.map((name) => column(resource, name));
  const [first] = keys;
  const order = resource.newestFirst ? desc : asc;
  return directory
    .select()
    .from(resource.table)
    .where(
      and(
        ...Object.entries(filters).map(([name, value]) => eq(column(resource, name), value)),
        ...(first === undefined || prefix === undefined
          ? []
          : [gte(first, prefix), lt(first, prefix + LAST_CHARACTER)]),
        after && beyond(keys, after, resource.newestFirst ? sql`<` : sql`>`),
      ),
    )
    .orderBy(...keys.map((key) => order(key)))
    .limit(limit + 1);
}

/** @throws Refusal */
export async function findRow(directory: Directory, resource: Resource, key: Key): Promise<Row> {
  const [row] = await directory.select().from(resource.table).where(isAt(resource, key));
  return row ?? missing(resource, key);
}

/** @throws Refusal */
export async function insertRow(
  directory: Directory,
  resource: Resource,
  row: Row,
  actor: string,
): Promise<Row> {
  const { table, shown } = resource;
  const key = keyOf(resource, row);
  const details = shown.partial().strip().parse(row);
  try {
    const [[inserted]] = await directory.batch([
      directory.insert(table).values(row).returning(),
      recording(directory, { ...happening(resource, key, "create"), actor, details }),
    ]);
    return inserted ?? row;
  } catch (error) {
    throw refusalOf(error, `${resource.name} ${key.join(" ")}`) ?? error;
  }
}

/**
 * @param action in the audit, where it is not `update`
 * @param details in the audit, where they are not the changes
 * @throws Refusal
 */
export async function updateRow(
  directory: Directory,
  resource: Resource,
  key: Key,
  changes: Row,
  {
    actor,
    action = "update",
    details = changes,
  }: { actor: string; action?: string; details?: Row },
): Promise<Row> {
  // A statement that sets nothing is none.
  if (Object.keys(changes).length === 0) return findRow(directory, resource, key);
  try {
    const [[updated]] = await directory.batch([
      directory.update(resource.table).set(changes).where(isAt(resource, key)).returning(),
      recording(directory, { ...happening(resource, key, action), actor, details }, HAPPENED),
    ]);
    return updated ?? missing(resource, key);
  } catch (error) {
    throw refusalOf(error, `${resource.name} ${key.join(" ")}`) ?? error;
  }
}

/** @throws Refusal */
export async function deleteRow(
  directory: Directory,
  resource: Resource,
  key: Key,
  actor: string,
): Promise<void> {
  try {
    const [deleted] = await directory.batch([
      directory.delete(resource.table).where(isAt(resource, key)).returning(),
      recording(directory, { ...happening(resource, key, "delete"), actor, details: {} }, HAPPENED),
    ]);
    if (deleted.length === 0) missing(resource, key);
  } catch (error) {
    throw refusalOf(error, `${resource.name} ${key.join(" ")}`) ?? error;
  }
}

function keyOf(resource: Resource, row: Row): Key {
  return resource.key.map((name) => {
    const value = row[name];
    return typeof value === "number" ? value : String(value);
  });
}

function column(resource: Resource, name: string): SQLiteColumn {
  const found = getTableColumns(resource.table)[name];
  if (found === undefined) throw new Error(`${resource.path} has no column ${name}`);
  return found;
}

function isAt(resource: Resource, key: Key): SQL | undefined {
  return and(...resource.key.map((name, index) => eq(column(resource, name), key[index])));
}

/** Row values, which an index over these columns serves. */
function beyond(columns: readonly SQLiteColumn[], key: Key, direction: SQL): SQL {
  const values = key.map((value) => sql`${value}`);
  return sql`(${sql.join([...columns], sql`, `)}) ${direction} (${sql.join(values, sql`, `)})`;
}

function happening({ name }: Resource, key: Key, verb: string) {
  return { action: `${name}.${verb}`, subject: key.join(" ") };
}

function missing({ name }: Resource, key: Key): never {
  throw new Refusal(404, `there is no ${name} ${key.join(" ")}`);
}
