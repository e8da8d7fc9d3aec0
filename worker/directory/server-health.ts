/** Servers that proxies agree on: they fail, and lookups are to keep away from them. */
import { sql } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { type Server, serverHealth } from "./schema/index.ts";
import type { Directory } from "./database.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Failing extends Endpoint {
  /** ms since the epoch. */
  readonly until: number;
  readonly why: string;
}

/** A server that takes users now. */
export interface Candidate extends Server {
  /** Those of its ports where it fails. */
  readonly failing: readonly number[];
}

/** Those ports, as a JSON list; null where reports are not to count. */
export function failingPorts({ host, health }: Record<"host" | "health", AnySQLiteColumn>) {
  const { host: failing, port, until } = serverHealth;
  return sql<string | null>`case when ${health} = 'reported' then (
    select json_group_array(${port}) from ${serverHealth}
    where ${failing} = ${host} and ${until} > unixepoch()) end`;
}

/** @param rows each with `failingPorts` of its server, if it has one */
export function candidatesIn(
  rows: readonly { readonly candidate: Server | null; readonly failing: string | null }[],
): readonly Candidate[] {
  return rows.flatMap(({ candidate, failing }) =>
    candidate === null ? [] : [{ ...candidate, failing: numbers(failing ?? "[]") }],
  );
}

function numbers(json: string): readonly number[] {
  const list: unknown = JSON.parse(json);
  return Array.isArray(list) ? list.filter((one) => typeof one === "number") : [];
}

/** In one transaction, however many: each list goes as one parameter. */
export async function writeHealth(
  directory: Directory,
  failing: readonly Failing[],
  ended: readonly Endpoint[],
): Promise<void> {
  const { host, port } = serverHealth;
  await directory.batch([
    directory.delete(serverHealth).where(
      sql`(${host}, ${port}) in
        (select value ->> 'host', value ->> 'port' from json_each(${JSON.stringify(ended)}))`,
    ),
    directory
      .insert(serverHealth)
      .select(
        sql`
        select value ->> 'host', value ->> 'port', value ->> 'until' / 1000, value ->> 'why'
        from json_each(${JSON.stringify(failing)}) where true`,
      )
      .onConflictDoUpdate({
        target: [host, port],
        set: { until: sql`excluded.until`, why: sql`excluded.why` },
      }),
  ]);
}
