import { and, eq } from "drizzle-orm";
import { domains, groups, servers } from "./schema/index.ts";
import type { Reading } from "./reading.ts";
import type { Group, Server } from "./users.ts";

/** A domain of ours, and the servers that take mail for it now. */
export interface Domain {
  readonly recipients: (typeof domains.$inferSelect)["recipients"];
  readonly group: Group;
  readonly candidates: readonly Server[];
}

/** Finds a domain, in one statement. */
export async function findDomain(reading: Reading, name: string): Promise<Domain | null> {
  const rows = await reading.rows(
    reading.directory
      .select({ domain: domains, group: groups, candidate: servers })
      .from(domains)
      .innerJoin(groups, eq(groups.name, domains.group))
      .leftJoin(servers, and(eq(servers.group, domains.group), eq(servers.state, "up")))
      .where(eq(domains.name, name)),
  );
  const [first] = rows;
  if (first === undefined) return null;
  const candidates = rows.flatMap(({ candidate }) => (candidate === null ? [] : [candidate]));
  return { recipients: first.domain.recipients, group: first.group, candidates };
}
