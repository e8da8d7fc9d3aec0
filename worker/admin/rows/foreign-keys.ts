/** What names what: for sentences that say why the database refuses a change. */
import { eq, getTableColumns, getTableName, is, sql } from "drizzle-orm";
import { SQLiteTable, getTableConfig } from "drizzle-orm/sqlite-core";
import * as schema from "../../directory/schema/index.ts";
import type { Directory } from "../../directory/database.ts";
import type { Row } from "./resource.ts";

/** The column that names, and the one whose values it may have. */
function referencesOf(table: SQLiteTable) {
  return getTableConfig(table).foreignKeys.flatMap(({ onDelete, reference }) => {
    const { columns, foreignTable, foreignColumns } = reference();
    const [from] = columns;
    const [to] = foreignColumns;
    return from && to ? [{ from, to, foreignTable, follows: onDelete === "cascade" }] : [];
  });
}

/** Of what the row names, what there is not: `group none`. */
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

/** The tables with rows that name this one, and do not go where it goes. */
export async function referencingTables(
  directory: Directory,
  table: SQLiteTable,
  value: string,
): Promise<string[]> {
  const tables = Object.values(schema).filter((each) => is(each, SQLiteTable));
  const found = tables.flatMap((namer) =>
    referencesOf(namer)
      .filter(({ foreignTable, follows }) => foreignTable === table && !follows)
      .map(async ({ from }) => {
        const some = directory
          .select({ one: sql`1` })
          .from(namer)
          .where(eq(from, value))
          .limit(1);
        return (await some).length === 0 ? [] : [getTableName(namer)];
      }),
  );
  return (await Promise.all(found)).flat();
}
