/** Reads and changes the rows of any resource. The transaction of a change also records it in the audit. */
import { type SQL, and, asc, desc, eq, getTableColumns, gte, lt, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Directory } from "../../directory/database.ts";
import { ApiError, isForeignKeyError, constraintError } from "../http/api-error.ts";
import { IF_CHANGED, auditStatement } from "./audit.ts";
import { referencingTables, missingReferences } from "./foreign-keys.ts";
import type { Key, Permission, Resource, Row } from "./resource.ts";

export interface Query {
  /** The beginning of the key's first column. */
  readonly prefix?: string | undefined;
  /** The key of the last row before the page. */
  readonly after?: Key | undefined;
  readonly limit: number;
  /** Wanted values, by column. */
  readonly filters: Readonly<Record<string, string>>;
}

export interface Page {
  readonly items: readonly Row[];
  /** The key after which the next page begins; null at the end. */
  readonly next: Key | null;
}

/** The character that sorts after all others. */
const LAST_CHARACTER = "\u{10FFFF}";

/** Lists rows in the order of the key, whose index makes every page cost the same. */
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

/** The statement of `listRows`. It asks for one row more than a page, to learn whether a next page exists. */
export function listQuery(directory: Directory, resource: Resource, query: Query) {
  const { prefix, after, limit, filters } = query;
  const keys = resource.key.map((name) => column(resource, name));
  const [first] = keys;
  const order = resource.newestFirst ? desc : asc;
  return directory
    .select(selection(resource))
    .from(resource.table)
    .where(
      and(
        ...Object.entries(filters).map(([name, value]) => eq(column(resource, name), value)),
        ...(first === undefined || prefix === undefined
          ? []
          : [gte(first, prefix), lt(first, prefix + LAST_CHARACTER)]),
        after && isAfter(keys, after, resource.newestFirst ? sql`<` : sql`>`),
      ),
    )
    .orderBy(...keys.map((key) => order(key)))
    .limit(limit + 1);
}

/** @throws ApiError */
export async function findRow(directory: Directory, resource: Resource, key: Key): Promise<Row> {
  const [row] = await directory
    .select(selection(resource))
    .from(resource.table)
    .where(keyEquals(resource, key));
  return row ?? missing(resource, key);
}

/** @throws ApiError */
export async function insertRow(
  directory: Directory,
  resource: Resource,
  row: Row,
  actor: string,
): Promise<Row> {
  const key = keyOf(resource, row);
  const details = readable(resource, row);
  try {
    const [[inserted]] = await directory.batch([
      directory.insert(resource.table).values(row).returning(selection(resource)),
      auditStatement(directory, { ...auditEntry(resource, key, "create"), actor, details }),
    ]);
    return inserted ?? row;
  } catch (error) {
    throw await writeError(error, directory, resource, key, row);
  }
}

interface Update {
  readonly actor: string;
  /** The word for the audit, where it is not `update`. */
  readonly action?: string;
  readonly permitted?: Permission;
  /** Statements for the same transaction. */
  readonly also?: readonly BatchItem<"sqlite">[];
}

/** @throws ApiError */
export async function updateRow(
  directory: Directory,
  resource: Resource,
  key: Key,
  changes: Row,
  { actor, action = "update", permitted, also = [] }: Update,
): Promise<Row> {
  // SQL has no UPDATE that sets no column.
  if (Object.keys(changes).length === 0) return findRow(directory, resource, key);
  const details = readable(resource, changes);
  try {
    const [[updated]] = await directory.batch([
      directory
        .update(resource.table)
        .set(changes)
        .where(and(keyEquals(resource, key), permitted?.condition))
        .returning(selection(resource)),
      auditStatement(
        directory,
        { ...auditEntry(resource, key, action), actor, details },
        IF_CHANGED,
      ),
      ...also,
    ]);
    if (updated !== undefined) return updated;
  } catch (error) {
    throw await writeError(error, directory, resource, key, changes);
  }
  return refuse(directory, resource, key, permitted);
}

/** @throws ApiError */
export async function deleteRow(
  directory: Directory,
  resource: Resource,
  key: Key,
  actor: string,
): Promise<void> {
  const { table, name, deletable } = resource;
  try {
    const [deleted] = await directory.batch([
      directory
        .delete(table)
        .where(and(keyEquals(resource, key), deletable?.condition))
        .returning(),
      auditStatement(
        directory,
        { ...auditEntry(resource, key, "delete"), actor, details: {} },
        IF_CHANGED,
      ),
    ]);
    if (deleted.length > 0) return;
  } catch (error) {
    if (!isForeignKeyError(error)) throw error;
    const namers = (await referencingTables(directory, table, String(key[0]))).join(" and ");
    const sentence = `${name} ${key.join(" ")} is in use by ${namers}: move, change or delete those first`;
    throw new ApiError(409, namers === "" ? CONFLICT : sentence);
  }
  return refuse(directory, resource, key, deletable);
}

/** Says why a statement has changed no row: either the row does not exist, or it does not meet the condition. */
async function refuse(
  directory: Directory,
  resource: Resource,
  key: Key,
  permission: Permission | undefined,
): Promise<never> {
  await findRow(directory, resource, key);
  throw new ApiError(409, permission?.otherwise ?? CONFLICT);
}

async function writeError(
  error: unknown,
  directory: Directory,
  resource: Resource,
  key: Key,
  row: Row,
): Promise<unknown> {
  if (!isForeignKeyError(error))
    return constraintError(error, `${resource.name} ${key.join(" ")}`) ?? error;
  const unknown = (await missingReferences(directory, resource.table, row)).join(", and no ");
  return new ApiError(409, unknown === "" ? CONFLICT : `there is no ${unknown}: create it first`);
}

/** The sentence where the obstacle is gone by the time that it is looked for. */
const CONFLICT = "another change has just been made to it; try again";

/** The part of a row that the audit may hold. */
function readable({ shown }: Resource, row: Row): Row {
  return shown.partial().strip().parse(row);
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

function selection({ table, beside }: Resource) {
  return { ...getTableColumns(table), ...beside };
}

function keyEquals(resource: Resource, key: Key): SQL | undefined {
  return and(...resource.key.map((name, index) => eq(column(resource, name), key[index])));
}

/** Compares row values, which an index over the columns serves. */
function isAfter(columns: readonly SQLiteColumn[], key: Key, direction: SQL): SQL {
  const values = key.map((value) => sql`${value}`);
  return sql`(${sql.join([...columns], sql`, `)}) ${direction} (${sql.join(values, sql`, `)})`;
}

function auditEntry({ name }: Resource, key: Key, verb: string) {
  return { action: `${name}.${verb}`, subject: key.join(" ") };
}

function missing({ name }: Resource, key: Key): never {
  throw new ApiError(404, `there is no ${name} ${key.join(" ")}`);
}
