/** Mail servers that fail, as the proxies agree. Lookups avoid them. */
import { sql } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { type MailServer, serverHealth } from "./schema/index.ts";
import type { Directory } from "./database.ts";

export interface ServerEndpoint {
  readonly host: string;
  readonly port: number;
}

export interface FailingServer extends ServerEndpoint {
  /** ms since the epoch. */
  readonly until: number;
  readonly why: string;
}

/** A server that may take users now. */
export interface CandidateServer extends MailServer {
  /** The ports on which the server fails. */
  readonly failing: readonly number[];
}

/** Selects a server's failing ports as a JSON list; null if the server ignores reports. */
export function failingPorts({ host, health }: Record<"host" | "health", AnySQLiteColumn>) {
  const { host: failing, port, until } = serverHealth;
  return sql<string | null>`case when ${health} = 'reported' then (
    select json_group_array(${port}) from ${serverHealth}
    where ${failing} = ${host} and ${until} > unixepoch()) end`;
}

/** @param rows each row has `failingPorts` of its server, if the row has one */
export function candidatesIn(
  rows: readonly { readonly candidate: MailServer | null; readonly failing: string | null }[],
): readonly CandidateServer[] {
  return rows.flatMap(({ candidate, failing }) =>
    candidate === null ? [] : [{ ...candidate, failing: numbers(failing ?? "[]") }],
  );
}

function numbers(json: string): readonly number[] {
  const list: unknown = JSON.parse(json);
  return Array.isArray(list) ? list.filter((one) => typeof one === "number") : [];
}

/** Writes all changes in one transaction. Each list is one parameter. */
export async function writeHealth(
  directory: Directory,
  failing: readonly FailingServer[],
  ended: readonly ServerEndpoint[],
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
