/** Finds the rows that made the database refuse a change of a foreign key. */
import { eq, getTableColumns, getTableName, is, sql } from "drizzle-orm";
import { SQLiteTable, getTableConfig } from "drizzle-orm/sqlite-core";
import type { Directory } from "../../directory/database.ts";
import * as schema from "../../directory/schema/index.ts";
import type { Row } from "./resource.ts";

/** Each reference of a table: its column, and the column that it refers to. */
function referencesOf(table: SQLiteTable) {
  return getTableConfig(table).foreignKeys.flatMap(({ onDelete, reference }) => {
    const { columns, foreignTable, foreignColumns } = reference();
    const [from] = columns;
    const [to] = foreignColumns;
    return from && to ? [{ from, to, foreignTable, cascades: onDelete === "cascade" }] : [];
  });
}

/** The references of a row that lead to no row: `group none`. */
export async function missingReferences(
  directory: Directory,
  table: SQLiteTable,
  row: Row,
): Promise<string[]> {
  const names = Object.entries(getTableColumns(table));
  const found = referencesOf(table).map(async ({ from, to, foreignTable }) => {
    const [name = ""] = names.find(([, column]) => column === from) ?? [];
    const value = row[name];
    if (typeof value !== "string") return [];
    const there = await directory
      .select({ one: sql`1` })
      .from(foreignTable)
      .where(eq(to, value));
    return there.length === 0 ? [`${name} ${value}`] : [];
  });
  return (await Promise.all(found)).flat();
}

/** The tables that hold rows which refer to this one and are not deleted with it. */
export async function referencingTables(
  directory: Directory,
  table: SQLiteTable,
  value: string,
): Promise<string[]> {
  const tables = Object.values(schema).filter((each) => is(each, SQLiteTable));
  const found = tables.flatMap((referrer) =>
    referencesOf(referrer)
      .filter(({ foreignTable, cascades }) => foreignTable === table && !cascades)
      .map(async ({ from }) => {
        const some = directory
          .select({ one: sql`1` })
          .from(referrer)
          .where(eq(from, value))
          .limit(1);
        return (await some).length === 0 ? [] : [getTableName(referrer)];
      }),
  );
  return (await Promise.all(found)).flat();
}
